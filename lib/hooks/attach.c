/* SPDX-License-Identifier: Apache-2.0 */
/* Coming into a process that runs already, and letting go of it: the steps that `mishap attach` and
 * `mishap detach` have one of the process's threads take (control/attach.h). That thread stands in
 * code of the program that holds no lock of libc, or waits in the kernel; it may be inside of a
 * hook of ours. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/retire.h"
#include "base/sys.h"
#include "control/attach.h"
#include "control/control.h"
#include "event/write.h"
#include "fd/epoll.h"
#include "fd/lift.h"
#include "fd/live.h"
#include "fd/peer.h"
#include "fd/sever.h"
#include "fd/serving.h"
#include "hooks/adopt.h"
#include "hooks/arrive.h"
#include "hooks/disk.h"
#include "hooks/gate.h"
#include "hooks/inherit.h"
#include "hooks/limits.h"
#include "hooks/memory.h"
#include "hooks/patch.h"
#include "memory/budget.h"
#include "native/native.h"
#include "python/python.h"

#include "base/banned.h"

static enum { AWAY, PREPARED, HERE, LEAVING } state;
static int times; /* that it began */

static void name_learn(char *value)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char *address = strchr(value, ' ');

    if (!address)
        return;
    *address++ = '\0';
    if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
        mh_peer_learn(value, (const struct sockaddr *)(void *)&in, sizeof(in));
    else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
        mh_peer_learn(value, (const struct sockaddr *)(void *)&in6, sizeof(in6));
}

/* Cuts the text into settings. Returns the version that it is of. */
static unsigned long settings_read(char *text, struct mh_settings *ret)
{
    unsigned long version = 0;

    *ret = (struct mh_settings){.attached = true};
    for (char *next; *text; text = next) {
        char *value = text + strcspn(text, "=\n");

        next = text + strcspn(text, "\n");
        if (*next)
            *next++ = '\0';
        if (*value != '=')
            continue;
        *value++ = '\0';
        if (!strcmp(text, "version"))
            version = strtoull(value, NULL, 10);
        else if (!strcmp(text, "config"))
            ret->config = value;
        else if (!strcmp(text, "out"))
            ret->out = value;
        else if (!strcmp(text, "seed"))
            ret->seed = value;
        else if (!strcmp(text, "library"))
            ret->library = value;
        else if (!strcmp(text, "any"))
            ret->any = *value == '1';
        else if (!strcmp(text, "name"))
            name_learn(value);
    }
    return version;
}

static int prepare(char *text)
{
    struct mh_settings settings;
    int r;

    if (state >= HERE) {
        mh_arrive_say("the process is under mishap already", "", "");
        return -EALREADY;
    }
    if (settings_read(text, &settings) != MH_CONTROL_VERSION) {
        mh_arrive_say("the library in the process is of another version of mishap", "", "");
        return -EPROTONOSUPPORT;
    }
    mh_retired_unmap();
    r = mh_arrive(&settings);
    if (r > 0)
        mh_arrive_say("the scenario leaves this program out: see `processes` of its [run]", "", "");
    if (r)
        return r > 0 ? -ECHILD : r;
    mh_inherit_begin(&settings);
    mh_memory_init();
    mh_limits_init();
    mh_disk_init();
    mh_stay();
    r = mh_patch_in();
    if (r)
        mh_arrive_say("the hooks cannot be put in place", "", "");
    state = r ? AWAY : PREPARED;
    return r;
}

/* Memory that the process has already counts: what is there, and neither shared nor a file's. */
static void count_memory(void)
{
    char text[128] = "";
    long fd = mh_sys(SYS_openat, AT_FDCWD, "/proc/self/statm", 0, 0);
    char *end = text;
    uint64_t field[3] = {0};

    if (fd < 0)
        return;
    mh_sys(SYS_read, fd, text, sizeof(text) - 1);
    mh_sys(SYS_close, fd);
    for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
        field[i] = strtoull(end, &end, 10);
    if (field[1] > field[2])
        mh_budget_add((int64_t)((field[1] - field[2]) * 4096) - (int64_t)mh_budget_live());
}

static int begin(void)
{
    int r;

    if (state != PREPARED)
        return -EINVAL;
    mh_guest.leaving = 0;
    if (times++) {
        mh_guest.epoch++;
        mh_live_after_fork();
        mh_python_anew();
        mh_native_after_fork();
        mh_serving_after_fork();
    }
    r = mh_recording_begin(MH_BEGUN_attached);
    if (r < 0) {
        mh_arrive_say("cannot record below ", mh_guest.out, "");
        return r;
    }
    mh_note(MH_NOTE_attached, 0, false,
            "mishap was attached to this process while it ran: what began before was not seen from "
            "its start");
    mh_adopt_descriptors();
    mh_standard_streams();
    count_memory();
    mh_gates_set(MH_GATE_ON, mh_gates_want_memory());
    mh_memory_settle();
    state = HERE;
    return 0;
}

/* Lets go of what is held back, as if every fault were switched off. */
static void let_go(void)
{
    for (int fd = 0; fd < mh_fd_top(); fd++) {
        struct mh_desc *d = mh_fd_get(fd);

        if (!d || !mh_desc_lock(d))
            continue;
        mh_lift(d, fd, mh_now());
        mh_hole_settle(d, fd, mh_now());
        mh_desc_unlock(d);
    }
    mh_epoll_let_go();
}

static int leave(void)
{
    if (state == AWAY) {
        mh_arrive_say("mishap is not attached to the process", "", "");
        return -EALREADY;
    }
    __atomic_store_n(&mh_guest.leaving, 1, __ATOMIC_RELAXED);
    mh_gates_set(0, false);
    mh_memory_settle();
    mh_patch_out();
    if (state == HERE)
        let_go();
    state = state == PREPARED ? AWAY : LEAVING;
    return 0;
}

/* Who is still in a hook may look at the run's page; but we are no part of the run any more, and
 * who asks the process's mappings is to see that. A copy takes its place. */
static void run_leave(void)
{
    const size_t n = sizeof(*mh_guest.control);
    long copy = mh_sys(SYS_mmap, 0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (copy < 0 && copy > -4096)
        return;
    memcpy((void *)copy, mh_guest.control, n);
    mh_sys(SYS_mremap, copy, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, mh_guest.control);
    mh_retire(mh_guest.control, n);
    mh_retire(mh_live_loaded(), sizeof(*mh_guest.rules));
}

static int close_recording(void)
{
    if (state == LEAVING) {
        mh_control_leave(mh_guest.control, mh_guest.ordinal, 0);
        mh_note(MH_NOTE_detached, 0, false, "mishap has let go of this process, which runs on");
        mh_writer_finish();
        mh_writer_close();
        run_leave();
        state = AWAY;
    }
    return 0;
}

/* Runs on a thread that may be anywhere in a hook: what that hook knows of it is kept. */
MH_PUBLIC int mishap_attach(int step, char *text, size_t size);
MH_PUBLIC int mishap_attach(int step, char *text, size_t size)
{
    struct mh_thread before = mh_thread;
    char said[1024] = "";
    struct mh_buf answer = {said, sizeof(said), 0, false};
    int r = -EINVAL;

    if (!mh_real_late() || size <= sizeof(said))
        return -EPERM; /* the hooks came with the program, and stay */
    mh_thread.depth = 1;
    mh_arrive_said = &answer;
    if (step == MH_ATTACH_PREPARE)
        r = prepare(text);
    else if (step == MH_ATTACH_BEGIN)
        r = begin();
    else if (step == MH_ATTACH_LEAVE)
        r = leave();
    else if (step == MH_ATTACH_CLOSE)
        r = close_recording();
    mh_arrive_said = NULL;
    mh_thread = before;
    memcpy(text, said, answer.len + 1);
    return r;
}
