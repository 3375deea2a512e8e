/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets that are kept for a process, and the calls that only they and errors concern: pipes,
 * events, threads. Nothing is counted here: the kernel is asked when it matters. */
#include "hooks/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "base/libc.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fd/caller.h"
#include "fd/decide.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"

#include "base/banned.h"

/* The smallest budgets of the scenario, and what they concern. */
static struct {
    uint64_t fds, threads;
    uint64_t fd_ops;
} limits = {.fds = UINT64_MAX, .threads = UINT64_MAX};

void mh_limits_init(void)
{
    const struct mh_rules *rules = mh_guest.rules;

    limits.fds = limits.threads = UINT64_MAX;
    limits.fd_ops = 0;
    for (unsigned i = 0; rules && i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];

        if (!f->takes_part)
            continue;
        if (f->effects & MH_EFFECT_BIT(MH_EFFECT_fds)) {
            limits.fds = MH_MIN(limits.fds, f->limit);
            limits.fd_ops |= f->ops;
        }
        if (f->effects & MH_EFFECT_BIT(MH_EFFECT_threads))
            limits.threads = MH_MIN(limits.threads, f->limit);
    }
}

/* The number that the next descriptor gets; -1 when the kernel itself has none left. */
static int64_t next_fd(void)
{
    long fd = mh_sys(SYS_eventfd2, 0, EFD_CLOEXEC);

    if (fd >= 0)
        mh_sys(SYS_close, fd);
    return fd < 0 ? -1 : fd;
}

/* Threads of this process: its task directory has a link for each, and two of its own. */
static int64_t threads(void)
{
    struct stat st;

    if (mh_sys(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &st, 0) || st.st_nlink < 3)
        return -1;
    return (int64_t)st.st_nlink - 2;
}

static int64_t refusal(enum mh_op_kind kind, enum mh_call call, const struct mh_verdict *v,
                       enum mh_effect effect, int err, const struct mh_place *place)
{
    return mh_record(&(struct mh_story){.kind = kind,
                                        .call = call,
                                        .fd = -1,
                                        .result = -1,
                                        .err = err,
                                        .timeout_ns = -1,
                                        .verdict = v,
                                        .effect = (int)effect,
                                        .place = place});
}

/* `have` of what is counted, where the smallest budget is passed. */
static int over(enum mh_op_kind kind, enum mh_call call, enum mh_effect effect, int64_t have,
                int err, int64_t *watch)
{
    struct mh_place place;
    struct mh_verdict v;

    mh_python_place(&place);
    if (!mh_decide_kept(kind, NULL, &place, &v) || !(v.effects & MH_EFFECT_BIT(effect)) ||
        (uint64_t)have < v.limit)
        return 0;
    *watch = refusal(kind, call, &v, effect, err, &place);
    return *watch ? -err : 0;
}

int mh_limit_fds(enum mh_op_kind kind, enum mh_call call, int64_t *watch)
{
    int64_t next;

    if (!(limits.fd_ops & MH_OP_BIT(kind)))
        return 0;
    next = next_fd();
    if (next < 0 || (uint64_t)next < limits.fds)
        return 0;
    return over(kind, call, MH_EFFECT_fds, next, EMFILE, watch);
}

static int limit_threads(enum mh_call call, int64_t *watch)
{
    int64_t have = limits.threads == UINT64_MAX ? -1 : threads();

    if (have < 0 || (uint64_t)have < limits.threads)
        return 0;
    return over(MH_OP_thread, call, MH_EFFECT_threads, have, EAGAIN, watch);
}

int mh_limit_make(enum mh_op_kind kind, enum mh_call call, int64_t *watch)
{
    struct mh_place place;
    struct mh_verdict v;

    if (!(mh_guest.rules->ops & MH_OP_BIT(kind)))
        return 0;
    mh_python_place(&place);
    if (mh_decide_path(kind, NULL, NULL, &place, &v) &&
        (v.effects & MH_EFFECT_BIT(MH_EFFECT_error))) {
        *watch = refusal(kind, call, &v, MH_EFFECT_error, v.error, &place);
        if (*watch)
            return -v.error;
    }
    return kind == MH_OP_thread ? limit_threads(call, watch) : mh_limit_fds(kind, call, watch);
}

bool mh_limit_refused(enum mh_op_kind kind, enum mh_call call)
{
    int64_t watch = 0;
    int r = mh_limit_make(kind, call, &watch);

    mh_finish(r, watch);
    return r < 0;
}

/* A pair of new descriptors: what we knew of their numbers went by a way that we did not see. */
static int made(int r, const int fds[2])
{
    if (r == 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_fd_forget(fds[0]);
        mh_fd_forget(fds[1]);
        if (mh_python_makes_jobs()) {
            mh_fd_new(fds[0], MH_DESC_jobs);
            mh_fd_new(fds[1], MH_DESC_jobs);
        }
        mh_guest_leave();
    }
    return r;
}

MH_PUBLIC int pipe(int fds[2])
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_pipe))
        return -1;
    return made(MH_REAL(pipe)(fds), fds);
}

MH_PUBLIC int pipe2(int fds[2], int flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_pipe2))
        return -1;
    return made(MH_REAL(pipe2)(fds, flags), fds);
}

MH_PUBLIC int eventfd(unsigned count, int flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_eventfd))
        return -1;
    return MH_REAL(eventfd)(count, flags);
}

MH_PUBLIC int timerfd_create(clockid_t clock, int flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_timerfd_create))
        return -1;
    return MH_REAL(timerfd_create)(clock, flags);
}

/* With a descriptor it only changes the mask of that one. */
MH_PUBLIC int signalfd(int fd, const sigset_t *mask, int flags)
{
    if (fd == -1 && mh_limit_refuses(MH_OP_descriptor, MH_CALL_signalfd))
        return -1;
    return MH_REAL(signalfd)(fd, mask, flags);
}

MH_PUBLIC int inotify_init(void)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_inotify_init))
        return -1;
    return MH_REAL(inotify_init)();
}

MH_PUBLIC int inotify_init1(int flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_inotify_init1))
        return -1;
    return MH_REAL(inotify_init1)(flags);
}

MH_PUBLIC int memfd_create(const char *name, unsigned flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_memfd_create))
        return -1;
    return MH_REAL(memfd_create)(name, flags);
}

/* Before glibc 2.34 it lives in a library of its own, which may have come later than we did. */
/* Before the first thread of a pool is there, so that what it is handed is seen. */
static void makes_thread(void)
{
    if (!mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return;
    mh_python_may_hand_over(true, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    mh_guest_leave();
}

static int made_thread(int err, const pthread_t *thread)
{
    if (!err && mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_python_thread_made((uintptr_t)*thread);
        mh_guest_leave();
    }
    return err;
}

MH_PUBLIC int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
                             void *(*run)(void *), void *restrict arg)
{
    int saved = errno, err;

    if (mh_limit_refuses(MH_OP_thread, MH_CALL_pthread_create)) {
        err = errno;
        errno = saved;
        return err; /* it tells by its result, not by errno */
    }
    makes_thread();
    return made_thread(MH_REAL_LATE(pthread_create)(thread, attr, run, arg), thread);
}
