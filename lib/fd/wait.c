/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting with held descriptors; see wait.h. Arrivals on a descriptor that is hidden must still be
 * stamped when they come, so hidden ones are watched through a short-lived edge-triggered epoll set
 * that stands in the poll set for all of them. */
#include "fd/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/macros.h"
#include "base/sys.h"
#include "fd/lift.h"
#include "fd/sever.h"
#include "fd/stream.h"
#include "fd/table.h"

#include "base/banned.h"

int mh_fd_hide(int fd)
{
    struct rlimit limit = {1024, 1024};
    long low = 0, high;

    mh_sys(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    low = (long)MH_MIN(limit.rlim_cur, (rlim_t)1024) - 64; /* higher would swell the fd table */
    high = low > fd ? mh_sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, low) : -1;
    if (high < 0)
        return fd;
    mh_sys(SYS_close, fd);
    return (int)high;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* The kernel lets a sleep end late by the thread's timer slack, 50 us if nobody changed it: asked
 * to end earlier by that, it ends in time. The last stretch is slept as it is, never turned into a
 * loop. */
static int64_t less_slack(int64_t left)
{
    long slack = mh_sys(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);

    return slack > 0 && slack < 1000000 && left > 2 * slack ? left - slack : left;
}

int mh_wait_until(int64_t until)
{
    int64_t now;

    while ((now = mh_now()) < until) {
        struct timespec left =
            timespec_of(less_slack(MH_MIN(until - now, INT64_C(86400) * 1000000000)));
        long r = mh_sys(SYS_ppoll, 0, 0, &left, 0, 8);

        if (r == -EINTR)
            return -EINTR;
    }
    return 0;
}

bool mh_wait_needed(const struct pollfd *fds, unsigned n)
{
    if (n > MH_WAIT_MAX)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct mh_desc *d = mh_fd_get(fds[i].fd);

        if (d && (mh_stream_armed(d) || d->connecting))
            return true;
    }
    return false;
}

struct waiting {
    struct pollfd copy[MH_WAIT_MAX + 1];
    int watcher; /* epoll fd, -1 none */
    bool hidden[MH_WAIT_MAX];
    bool held; /* a fault holds something back */
    int64_t next;
};

/* Takes the kernel's view, filters it into fds[].revents, and prepares copy[] for the sleep. */
static int look(struct waiting *w, struct pollfd *fds, unsigned n, bool telling)
{
    struct timespec zero = {0, 0};
    int64_t now;
    int ready = 0;
    long r;

    memcpy(w->copy, fds, n * sizeof(*fds));
    for (unsigned i = 0; i < n; i++)
        w->copy[i].revents = 0;
    r = mh_sys(SYS_ppoll, w->copy, n, &zero, 0, 8);
    if (r < 0)
        return (int)r;
    now = mh_now();
    w->next = MH_NEVER;
    w->held = false;
    for (unsigned i = 0; i < n; i++) {
        struct mh_desc *d = mh_fd_get(fds[i].fd);
        uint32_t real = (uint16_t)w->copy[i].revents, seen = real;
        const uint32_t always = POLLERR | POLLHUP | POLLNVAL;

        if (d && (mh_stream_armed(d) || d->connecting) && mh_desc_lock(d)) {
            seen = mh_stream_filter(d, fds[i].fd, real, now, &w->next);
            if (telling && mh_connection_strike(d, fds[i].fd, now))
                seen = mh_stream_filter(d, fds[i].fd, real, now, &w->next);
            w->held |= mh_holds(d, now);
            mh_desc_unlock(d);
        }
        seen &= (uint16_t)fds[i].events | always;
        w->hidden[i] = (real & ~seen) != 0;
        fds[i].revents = (short)seen;
        ready += seen != 0;
        w->copy[i].revents = 0;
        if (w->hidden[i] && (real & ~seen & always))
            w->copy[i].fd = -1; /* poll() cannot be told to leave these out */
        else if (w->hidden[i])
            w->copy[i].events = (short)((uint16_t)fds[i].events & ~real);
    }
    return ready;
}

/* Puts the hidden descriptors into the watcher. Returns whether one was new: then look again, since
 * adding it has used up its edge. */
static bool watch(struct waiting *w, const struct pollfd *fds, unsigned n)
{
    struct epoll_event drained[16];
    bool added = false;

    for (unsigned i = 0; i < n; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};

        if (!w->hidden[i])
            continue;
        if (w->watcher < 0) {
            w->watcher = (int)mh_sys(SYS_epoll_create1, EPOLL_CLOEXEC);
            if (w->watcher < 0)
                return false;
            w->watcher = mh_fd_hide(w->watcher);
        }
        if (mh_sys(SYS_epoll_ctl, w->watcher, EPOLL_CTL_ADD, fds[i].fd, &e) == 0)
            added = true;
    }
    if (added)
        while (mh_sys(SYS_epoll_pwait, w->watcher, drained, 16, 0, 0, 8) == 16)
            ;
    return added;
}

int mh_wait(struct pollfd *fds, unsigned n, int64_t timeout_ns, const sigset_t *mask, bool telling)
{
    int64_t start = mh_now();
    int64_t deadline =
        timeout_ns < 0 || timeout_ns > MH_NEVER - start ? MH_NEVER : start + timeout_ns;
    struct waiting w;
    struct epoll_event drained[16];
    int ret;

    w.watcher = -1;
    for (;;) {
        struct timespec left;
        int64_t now, until;
        long r;

        ret = look(&w, fds, n, telling);
        if (ret || (now = mh_now()) >= deadline)
            break;
        if (watch(&w, fds, n))
            continue;
        until = MH_MIN(deadline, w.next);
        if (w.held)
            until = MH_MIN(until, now + MH_LIFT_TICK);
        left = timespec_of(less_slack(MH_MAX(until - now, 0)));
        w.copy[n] = (struct pollfd){w.watcher, POLLIN, 0};
        r = mh_sys(SYS_ppoll, w.copy, n + 1, until == MH_NEVER ? NULL : &left, mask, 8);
        if (r < 0) {
            ret = (int)r;
            break;
        }
        if (w.watcher >= 0)
            while (mh_sys(SYS_epoll_pwait, w.watcher, drained, 16, 0, 0, 8) == 16)
                ;
    }
    if (w.watcher >= 0)
        mh_sys(SYS_close, w.watcher);
    return ret;
}
