/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting: poll, select and epoll in all spellings, and requested sleeps. A set in which no fault
 * could apply goes to the real call. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>

#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/epoll.h"
#include "fd/epoll_wait.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"
#include "hooks/clock.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

static int64_t ns_of(const struct timespec *t)
{
    if (!t)
        return -1;
    return t->tv_sec > INT64_MAX / 1000000000 - 1 ? INT64_MAX
                                                  : (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t ns_of_ms(int ms)
{
    return ms < 0 ? -1 : (int64_t)ms * 1000000;
}

static struct timespec *timespec_of(int64_t ns, struct timespec *storage)
{
    if (ns < 0)
        return NULL;
    *storage = (struct timespec){ns / 1000000000, ns % 1000000000};
    return storage;
}

static void each_wait(const struct pollfd *fds, unsigned n, enum mh_call call, int64_t start,
                      int64_t timeout, int64_t waited, int ready, int err, bool begins)
{
    for (unsigned i = 0; i < n; i++) {
        struct mh_desc *d = mh_fd_get(fds[i].fd);

        if (!d || (d->kind != MH_DESC_stream && d->kind != MH_DESC_datagram))
            continue;
        if (fds[i].events & POLLOUT)
            mh_rest_awaits(d);
        else if (begins)
            mh_rest_listens(d);
        if (begins)
            mh_seen_wait(d, call, start, timeout, n);
        else if (ready <= 0 || fds[i].revents)
            mh_seen_waited(d, call, timeout, waited, ready > 0 ? 1 : ready, err, n);
    }
}

static bool any_observed(const struct pollfd *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if ((unsigned)fds[i].fd < MH_FD_MAX && mh_fd_kind[fds[i].fd])
            return true;
    return false;
}

/* The record of the fault that made a wait on one descriptor end by its limit. */
static int64_t kept_from(const struct pollfd *fd)
{
    struct mh_desc *d = mh_fd_get(fd->fd);
    int64_t op = 0;

    if (d && mh_stream_armed(d) && mh_desc_lock(d)) {
        op = mh_stream_blame(d, (uint16_t)fd->events, mh_now());
        mh_desc_unlock(d);
    }
    return op;
}

/* A loop has waited: what follows is its program's own work. */
static void looped(bool idle, const struct mh_caller *from)
{
    mh_python_may_hand_over(false, from);
    mh_python_looped(idle, from);
}

/* A wait of no length is a look, not a wait. Returns -errno on failure; *ret_watch: the op whose
 * exception is followed. */
static int observed_poll(enum mh_call call, struct pollfd *fds, unsigned n, int64_t timeout,
                         const sigset_t *mask, int64_t *ret_watch)
{
    struct timespec storage;
    int64_t start = 0;
    int r;

    if (timeout) {
        start = mh_now();
        each_wait(fds, n, call, start, timeout, 0, 0, 0, true);
    }
    if (mh_wait_needed(fds, n))
        r = mh_wait(fds, n, timeout, mask, true);
    else
        r = (int)mh_sys(SYS_ppoll, fds, n, timespec_of(timeout, &storage), mask, 8);
    if (timeout)
        each_wait(fds, n, call, start, timeout, mh_now() - start, r < 0 ? -1 : r, r < 0 ? -r : 0,
                  false);
    *ret_watch = r == 0 && timeout && n == 1 ? kept_from(fds) : 0;
    if (n > 1) /* a loop on poll() or select() */
        looped(r == 0, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    return r;
}

/* A wait for nothing but time is a requested sleep. */
static void seen_sleep(enum mh_call call, int64_t ns)
{
    struct mh_place place;

    if (ns <= 0)
        return;
    mh_python_place(&place);
    if (place.stack)
        mh_event(sleep, NULL, 0, .requested_ns = ns, .call = call, .stack = place.stack,
                 .task = (int64_t)place.task, .unit = place.unit);
}

/* The same where a set of descriptors may be empty. */
static void asked_for_time(enum mh_call call, int64_t ns, bool empty)
{
    if (empty && mh_gate_open(&mh_gate.sleep) && mh_guest_enter()) {
        seen_sleep(call, ns);
        mh_guest_leave();
    }
}

/* An event loop that waited in vain: a timer of its own is due, which is all that can be seen of a
 * coroutine that sleeps. */
static int loop_waited(enum mh_call call, int64_t timeout, int64_t start, int ready)
{
    int saved = errno;

    if (ready == 0 && start && mh_guest_enter()) {
        mh_event(sleep, NULL, 0, .requested_ns = timeout, .call = call,
                 .waited_ns = MH_MAX(mh_now() - start, 1));
        mh_guest_leave();
        errno = saved;
    }
    return ready;
}

static int64_t loop_waits(int64_t timeout)
{
    return timeout > 0 && mh_gate_open(&mh_gate.sleep) ? mh_now() : 0;
}

static __attribute__((noinline)) int slow_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int64_t watch;
    int r;

    if (!mh_gate_open(&mh_gate.fd) || n > MH_WAIT_MAX || !any_observed(fds, (unsigned)n) ||
        !mh_guest_enter()) {
        asked_for_time(MH_CALL_poll, ns_of_ms(timeout), n == 0);
        return mh_real.poll(fds, n, timeout);
    }
    r = observed_poll(MH_CALL_poll, fds, (unsigned)n, ns_of_ms(timeout), NULL, &watch);
    return (int)mh_finish(r, watch);
}

/* What waits for nothing that we observe is a jump, see mh_gate_idle(); but not a sleep. */
MH_PUBLIC int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    const struct pollfd *one = fds;

    __asm__("" : "+r"(one)); /* gcc 12 believes that poll() only writes */
    if (((n == 1 && mh_gate_idle(one->fd)) || (n == 0 && timeout <= 0)) &&
        MH_LIKELY(mh_real.poll != NULL))
        return mh_real.poll(fds, n, timeout);
    return slow_poll(fds, n, timeout);
}

MH_PUBLIC int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                    const sigset_t *mask)
{
    int64_t watch;
    int r;

    if (!mh_gate_open(&mh_gate.fd) || n > MH_WAIT_MAX || !any_observed(fds, (unsigned)n) ||
        !mh_guest_enter()) {
        asked_for_time(MH_CALL_ppoll, ns_of(timeout), n == 0);
        return mh_real.ppoll(fds, n, timeout, mask);
    }
    r = observed_poll(MH_CALL_ppoll, fds, (unsigned)n, ns_of(timeout), mask, &watch);
    return (int)mh_finish(r, watch);
}

/* The sets of select() as a poll set; 0 when they do not fit. */
static unsigned from_sets(int n, const fd_set *r, const fd_set *w, const fd_set *x,
                          struct pollfd *fds)
{
    unsigned count = 0;

    for (int fd = 0; fd < n && fd < FD_SETSIZE; fd++) {
        short events =
            (short)((r && FD_ISSET(fd, r) ? POLLIN : 0) | (w && FD_ISSET(fd, w) ? POLLOUT : 0) |
                    (x && FD_ISSET(fd, x) ? POLLPRI : 0));

        if (!events)
            continue;
        if (count == MH_WAIT_MAX)
            return 0;
        fds[count++] = (struct pollfd){fd, events, 0};
    }
    return n > FD_SETSIZE ? 0 : count;
}

static int to_sets(const struct pollfd *fds, unsigned count, fd_set *r, fd_set *w, fd_set *x)
{
    int ready = 0;

    if (r)
        FD_ZERO(r);
    if (w)
        FD_ZERO(w);
    if (x)
        FD_ZERO(x);
    for (unsigned i = 0; i < count; i++) {
        short e = fds[i].revents, asked = fds[i].events;

        if (e & POLLNVAL)
            return -EBADF;
        if (r && (asked & POLLIN) && (e & (POLLIN | POLLHUP | POLLERR))) {
            FD_SET(fds[i].fd, r);
            ready++;
        }
        if (w && (asked & POLLOUT) && (e & (POLLOUT | POLLERR))) {
            FD_SET(fds[i].fd, w);
            ready++;
        }
        if (x && (asked & POLLPRI) && (e & POLLPRI)) {
            FD_SET(fds[i].fd, x);
            ready++;
        }
    }
    return ready;
}

/* Is this select() one for observed_poll()? Fills fds and count, and enters the guest if so. */
MH_INLINE bool select_observed(int n, fd_set *r, fd_set *w, fd_set *x, struct pollfd *fds,
                               unsigned *count)
{
    if (!mh_gate_open(&mh_gate.fd) || n <= 0)
        return false;
    *count = from_sets(n, r, w, x, fds);
    return *count && any_observed(fds, *count) && mh_guest_enter();
}

MH_PUBLIC int select(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x,
                     struct timeval *restrict timeout)
{
    struct pollfd fds[MH_WAIT_MAX];
    unsigned count = 0;
    int64_t ns = timeout ? (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_usec * 1000 : -1;
    int64_t start, watch;
    int ready;

    if (!select_observed(n, r, w, x, fds, &count)) {
        asked_for_time(MH_CALL_select, ns, n == 0);
        return mh_real.select(n, r, w, x, timeout);
    }
    start = mh_now();
    ready = observed_poll(MH_CALL_select, fds, count, ns, NULL, &watch);
    if (ready >= 0)
        ready = to_sets(fds, count, r, w, x);
    if (timeout) { /* Linux tells how much of it was left */
        int64_t left = MH_MAX(ns - (mh_now() - start), 0);

        timeout->tv_sec = left / 1000000000;
        timeout->tv_usec = left % 1000000000 / 1000;
    }
    return (int)mh_finish(ready, watch);
}

MH_PUBLIC int pselect(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x,
                      const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct pollfd fds[MH_WAIT_MAX];
    unsigned count = 0;
    int64_t watch;
    int ready;

    if (!select_observed(n, r, w, x, fds, &count)) {
        asked_for_time(MH_CALL_pselect, ns_of(timeout), n == 0);
        return mh_real.pselect(n, r, w, x, timeout, mask);
    }
    ready = observed_poll(MH_CALL_pselect, fds, count, ns_of(timeout), mask, &watch);
    if (ready >= 0)
        ready = to_sets(fds, count, r, w, x);
    return (int)mh_finish(ready, watch);
}

/* Epoll sets are observed only while some fault could hide an event. */
MH_INLINE bool epoll_observed(int max)
{
    return mh_gate_open(&mh_gate.fd) && mh_epoll_needed() && max > 0 && mh_guest_enter();
}

static int observed_epoll(int epfd, struct epoll_event *events, int n, int64_t timeout,
                          const sigset_t *mask)
{
    int r = mh_epoll_wait(epfd, events, n, timeout, mask);

    looped(r == 0, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    return (int)mh_finish(r, 0);
}

MH_PUBLIC int epoll_wait(int epfd, struct epoll_event *events, int n, int timeout)
{
    int64_t ns = ns_of_ms(timeout), start = loop_waits(ns);

    if (!epoll_observed(n))
        return loop_waited(MH_CALL_epoll_wait, ns, start,
                           mh_real.epoll_wait(epfd, events, n, timeout));
    return loop_waited(MH_CALL_epoll_wait, ns, start, observed_epoll(epfd, events, n, ns, NULL));
}

MH_PUBLIC int epoll_pwait(int epfd, struct epoll_event *events, int n, int timeout,
                          const sigset_t *mask)
{
    int64_t ns = ns_of_ms(timeout), start = loop_waits(ns);

    if (!epoll_observed(n))
        return loop_waited(MH_CALL_epoll_pwait, ns, start,
                           mh_real.epoll_pwait(epfd, events, n, timeout, mask));
    return loop_waited(MH_CALL_epoll_pwait, ns, start, observed_epoll(epfd, events, n, ns, mask));
}

MH_PUBLIC int epoll_pwait2(int epfd, struct epoll_event *events, int n,
                           const struct timespec *timeout, const sigset_t *mask)
{
    int64_t ns = ns_of(timeout), start = loop_waits(ns);

    if (!epoll_observed(n)) {
        if (mh_real.epoll_pwait2)
            return loop_waited(MH_CALL_epoll_pwait2, ns, start,
                               mh_real.epoll_pwait2(epfd, events, n, timeout, mask));
        errno = ENOSYS; /* what a libc without it means for its callers */
        return -1;
    }
    return loop_waited(MH_CALL_epoll_pwait2, ns, start, observed_epoll(epfd, events, n, ns, mask));
}

static int epoll_made(int epfd)
{
    if (epfd >= 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_fd_new(epfd, MH_DESC_epoll);
        mh_python_may_hand_over(true, &(struct mh_caller){mh_thread.caller, mh_caller_object});
        mh_guest_leave();
    }
    return epfd;
}

MH_PUBLIC int epoll_create(int size)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_epoll_create))
        return -1;
    return epoll_made(MH_REAL(epoll_create)(size));
}

MH_PUBLIC int epoll_create1(int flags)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_epoll_create1))
        return -1;
    return epoll_made(MH_REAL(epoll_create1)(flags));
}

MH_PUBLIC int epoll_ctl(int epfd, int what, int fd, struct epoll_event *event)
{
    struct mh_desc *d;

    if (!mh_gate_open(&mh_gate.fd) || !mh_epoll_needed() || !mh_guest_enter())
        return MH_REAL(epoll_ctl)(epfd, what, fd, event);
    d = mh_fd_get(fd);
    if (d && what != EPOLL_CTL_DEL && event && (event->events & EPOLLOUT))
        mh_rest_awaits(d);
    return (int)mh_finish(mh_epoll_ctl(epfd, what, fd, event), 0);
}

static void before_sleep(enum mh_call call, int64_t ns)
{
    if (mh_gate_open(&mh_gate.sleep) && mh_guest_enter()) {
        seen_sleep(call, ns);
        mh_guest_leave();
    }
}

MH_PUBLIC int clock_nanosleep(clockid_t clock, int flags, const struct timespec *want,
                              struct timespec *left)
{
    struct timespec now = {0, 0}, real;
    int64_t ns;

    if ((flags & TIMER_ABSTIME) && clock == CLOCK_REALTIME)
        want = mh_clock_real(MH_CALL_clock_nanosleep, want, &real);
    ns = ns_of(want);
    if (want && (flags & TIMER_ABSTIME)) {
        mh_clock_read(clock, &now);
        ns -= ns_of(&now);
    }
    before_sleep(MH_CALL_clock_nanosleep, ns);
    return MH_REAL(clock_nanosleep)(clock, flags, want, left);
}

MH_PUBLIC int nanosleep(const struct timespec *want, struct timespec *left)
{
    before_sleep(MH_CALL_nanosleep, ns_of(want));
    return MH_REAL(nanosleep)(want, left);
}

MH_PUBLIC unsigned sleep(unsigned seconds)
{
    before_sleep(MH_CALL_sleep, (int64_t)seconds * 1000000000);
    return MH_REAL(sleep)(seconds);
}

MH_PUBLIC int usleep(useconds_t us)
{
    before_sleep(MH_CALL_usleep, (int64_t)us * 1000);
    return MH_REAL(usleep)(us);
}
