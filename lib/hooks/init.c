/* SPDX-License-Identifier: Apache-2.0 */
/* Arrival and departure of the guest: the constructor reads the environment and opens the gates;
 * fork gives the child its own recording; exit closes the recording. */
#include "hooks/arrive.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "control/control.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/epoll.h"
#include "fd/live.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/serving.h"
#include "hooks/clock.h"
#include "hooks/gate.h"
#include "hooks/libc.h"
#include "hooks/limits.h"
#include "hooks/memory.h"
#include "hooks/semaphores.h"
#include "memory/budget.h"
#include "native/native.h"
#include "python/python.h"
#include "rule/load.h"

#include "base/banned.h"

void mh_gate_boot(void)
{
    mh_real_init();
}

bool mh_gates_want_memory(void)
{
    return mh_guest.rules->ops & (MH_OP_BIT(MH_OP_malloc) | MH_OP_BIT(MH_OP_mmap));
}

/* What programs ask all the time, and where a no is an answer: seen only when a fault asks for it.
 */
#define LOOKS (MH_OP_BIT(MH_OP_stat) | MH_OP_BIT(MH_OP_fstat) | MH_OP_BIT(MH_OP_readdir))

void mh_gates_set(uint32_t word, bool memory)
{
    __atomic_store_n(&mh_gate.fd, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.file, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.sleep, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.memory, memory ? word : 0, __ATOMIC_RELAXED);
    if (!word || (mh_guest.rules->ops & MH_OP_BIT(MH_OP_clock)))
        __atomic_store_n(&mh_gate.clock, word, __ATOMIC_RELAXED);
    if (!word || (mh_guest.rules->ops & LOOKS))
        __atomic_store_n(&mh_gate.look, word, __ATOMIC_RELAXED);
}

/* The child of a fork: a process of its own, with its own recording. */
static void after_fork_child(void)
{
    int saved = errno;
    uint32_t open = mh_gate.fd;

    if (!open || open == MH_GATE_BOOT || mh_thread.depth)
        return; /* not taking part; or forked from inside a hook, which vouches for nothing */
    mh_thread.depth = 1;
    mh_writer_abandon();
    mh_guest.epoch++;
    mh_live_after_fork();
    mh_fd_after_fork();
    mh_epoll_after_fork();
    mh_python_after_fork();
    mh_native_after_fork();
    mh_serving_after_fork();
    mh_sem_after_fork();
    mh_clock_after_fork();
    if (mh_recording_begin(MH_BEGUN_forked) < 0) {
        mh_gates_set(0, false);
        mh_arrive_say("cannot record in a forked child: it is left alone: ", mh_guest.out, "");
    }
    mh_thread.depth = 0;
    errno = saved;
}

static void finish(int status)
{
    status &= 0377; /* what the kernel keeps of it: exit(-1) is 255 */
    if (mh_gate.fd != MH_GATE_ON || mh_sys_getpid() != mh_guest.pid || !mh_writer_ok())
        return;
    mh_control_leave(mh_guest.control, mh_guest.ordinal, status);
    mh_python_ends(status);
    mh_rest_leave();
    mh_event(exit, NULL, 0, .status = status, .lost = (int64_t)mh_writer_lost(),
             .allocations = (int64_t)mh_budget_refused());
    mh_writer_finish();
}

static void at_exit(int status, void *unused)
{
    int saved = errno;

    (void)unused;
    finish(status);
    errno = saved;
}

void mh_stay(void)
{
    static bool stays;

    if (stays)
        return;
    stays = true;
    pthread_atfork(NULL, NULL, after_fork_child);
    mh_libc_at_exit(at_exit);
}

static void leave(int status) __attribute__((noreturn));
static void leave(int status)
{
    if (mh_gate.fd == MH_GATE_ON)
        finish(status);
    for (;;)
        mh_sys(SYS_exit_group, status);
}

MH_PUBLIC void _exit(int status)
{
    leave(status);
}

MH_PUBLIC void _Exit(int status)
{
    leave(status);
}

/* Everything up to open gates. Returns false to stay out of the way. */
static bool arrive(void)
{
    const char *disabled = getenv("MISHAP_DISABLE");
    const struct mh_settings settings = {.config = getenv("MISHAP_CONFIG"),
                                         .out = getenv("MISHAP_OUT"),
                                         .seed = getenv("MISHAP_SEED")};

    if ((disabled && *disabled && strcmp(disabled, "0")) || getauxval(AT_SECURE) ||
        mh_arrive(&settings))
        return false;
    if (mh_recording_begin(MH_BEGUN_started) < 0) {
        mh_arrive_say("cannot record below ", mh_guest.out, ": nothing is recorded or injected");
        return false;
    }
    mh_standard_streams();
    mh_stay();
    return true;
}

/* Brought by `mishap attach`, the library waits to be told what to do (hooks/attach.c). */
__attribute__((constructor)) static void arrive_or_stay_out(void)
{
    int saved = errno;
    bool on;

    mh_real_init();
    if (mh_real_late()) {
        mh_gates_set(0, false);
        errno = saved;
        return;
    }
    mh_thread.depth = 1;
    on = arrive();
    if (on) {
        mh_memory_init();
        mh_limits_init();
    }
    mh_gates_set(on ? MH_GATE_ON : 0, on && mh_gates_want_memory());
    mh_memory_settle();
    mh_thread.depth = 0;
    errno = saved;
}
