/* SPDX-License-Identifier: Apache-2.0 */
/* What a wait on an epoll set tells while descriptors are held back; see epoll_wait.h. */
#include "fd/epoll_wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/macros.h"
#include "base/sys.h"
#include "fd/epoll.h"
#include "fd/lift.h"
#include "fd/sever.h"
#include "fd/stream.h"

#include "base/banned.h"

/* Filters one event. Returns whether it may be reported. */
static bool event_filter(int epfd, struct epoll_event *e, int64_t now, bool *masked)
{
    struct mh_epoll_reg *r = mh_epoll_reg_of(epfd, e->data.u64);
    struct mh_desc *d = r ? mh_fd_get(r->fd) : NULL;
    int64_t next = MH_NEVER;
    uint32_t seen;

    if (!d || !(mh_stream_armed(d) || d->connecting))
        goto report;
    if (!mh_desc_lock(d))
        goto report;
    seen = mh_stream_filter(d, r->fd, e->events, now, &next);
    if (mh_connection_strike(d, r->fd, now))
        seen = mh_stream_filter(d, r->fd, e->events, now, &next);
    if (!d->dead && !d->connecting && (seen & EPOLLIN) && d->kind == MH_DESC_stream &&
        (r->events & EPOLLET) && !(seen & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
        if (next != MH_NEVER && !mh_epoll_readable(r, d, now))
            seen &= ~(uint32_t)EPOLLIN; /* the edge is of bytes that are still held back */
        else
            r->told = d->consumed + mh_stream_released(d, now);
    }
    mh_desc_unlock(d);
    if (e->events & ~seen) {
        mh_epoll_hide(r);
        *masked = true;
    }
    seen &= r->events | EPOLLERR | EPOLLHUP;
    if (!(seen & ~(uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)))
        return false;
    e->events = seen;
report:
    if (r && (r->events & EPOLLONESHOT) && !r->shadow)
        r->spent = true;
    return true;
}

static int events_filter(int epfd, struct epoll_event *events, int n)
{
    int64_t now = mh_now();
    bool masked = false;
    int kept = 0;

    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == MH_EPOLL_TIMER)
            continue;
        if (event_filter(epfd, &events[i], now, &masked))
            events[kept++] = events[i];
    }
    if (masked)
        mh_epoll_wake(epfd, mh_epoll_restore(epfd, now));
    return kept;
}

/* A masked registration is edge-triggered: what else it wants (writability) would be told only
 * once. Tells it again on behalf of the kernel. */
static int masked_events(int epfd, struct epoll_event *events, int max)
{
    const struct mh_epoll_reg *r;
    int64_t now = mh_now(), next;
    int n = 0;

    for (unsigned i = 0; n < max && (r = mh_epoll_hidden(i)); i++) {
        struct mh_desc *d = mh_fd_get(r->fd);
        struct pollfd p = {r->fd, POLLOUT, 0};
        struct timespec zero = {0, 0};

        if (r->epfd != epfd + 1 || !d || !(r->events & EPOLLOUT) || (r->events & EPOLLET))
            continue;
        if (mh_sys(SYS_ppoll, &p, 1, &zero, 0, 8) != 1 || !mh_desc_lock(d))
            continue;
        if (mh_stream_filter(d, r->fd, POLLOUT, now, &next) & POLLOUT)
            events[n++] = (struct epoll_event){.events = EPOLLOUT, .data.u64 = r->data};
        mh_desc_unlock(d);
    }
    return n;
}

/* The wait itself, to a time. A kernel before 5.11 and an older container's filter do not know
 * epoll_pwait2: asked once, since it costs as much as the wait, and then milliseconds do. */
static long wait_until(int epfd, struct epoll_event *events, int max, int64_t now, int64_t until,
                       const sigset_t *mask)
{
    static bool coarse;
    int64_t ns = MH_MAX(until - now, 0);
    struct timespec left = {ns / 1000000000, ns % 1000000000};
    long r = -ENOSYS, ms = until == MH_NEVER ? -1 : (long)((ns + 999999) / 1000000);

    if (!__atomic_load_n(&coarse, __ATOMIC_RELAXED))
        r = mh_sys(SYS_epoll_pwait2, epfd, events, max, until == MH_NEVER ? NULL : &left, mask, 8);
    if (r != -ENOSYS && r != -EPERM)
        return r;
    __atomic_store_n(&coarse, true, __ATOMIC_RELAXED);
    return mh_sys(SYS_epoll_pwait, epfd, events, max, MH_MIN(ms, 3600000), mask, 8);
}

int mh_epoll_wait(int epfd, struct epoll_event *events, int max, int64_t timeout_ns,
                  const sigset_t *mask)
{
    int64_t start = mh_now();
    int64_t deadline =
        timeout_ns < 0 || timeout_ns > MH_NEVER - start ? MH_NEVER : start + timeout_ns;

    for (;;) {
        int64_t now = mh_now(), next = MH_NEVER, until;
        int n = 0;
        long r;

        if (mh_epoll_lock()) {
            if (mh_epoll_hidden(0)) {
                next = mh_epoll_restore(epfd, now);
                n = masked_events(epfd, events, max);
                if (mh_epoll_hides(epfd))
                    next = MH_MIN(next, now + MH_LIFT_TICK);
            }
            mh_epoll_unlock();
        }
        until = n ? now : MH_MIN(deadline, next);
        r = n == max ? 0 : wait_until(epfd, events + n, max - n, now, until, mask);
        if (r < 0)
            return n ? n : (int)r;
        if (r > 0 && mh_epoll_lock()) {
            r = events_filter(epfd, events + n, (int)r);
            mh_epoll_unlock();
        }
        if (n + r > 0)
            return n + (int)r;
        if (mh_now() >= deadline)
            return 0;
    }
}
