/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving on a socket: what is held back is not there yet, what a fault ends has ended. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/iov.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fault/connection.h"
#include "fault/corrupt.h"
#include "fd/decide.h"
#include "fd/epoll.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"

#include "base/banned.h"

/* One receive call under way. */
struct receive {
    enum mh_call call;
    int fd, flags;
    struct msghdr *msg;
    struct mh_desc *d;
    int64_t start;
    int64_t watch;   /* op whose exception is followed; 0 none */
    int64_t partial; /* the same, should some bytes come */
};

static ssize_t raw_recv(int fd, struct msghdr *msg, int flags)
{
    if (msg->msg_iovlen == 1 && !msg->msg_name && !msg->msg_control)
        return mh_sys(SYS_recvfrom, fd, msg->msg_iov->iov_base, msg->msg_iov->iov_len, flags, 0, 0);
    return mh_sys(SYS_recvmsg, fd, msg, flags);
}

/* The same, for at most `cap` bytes. */
static ssize_t capped_recv(const struct receive *r, uint64_t cap)
{
    struct iovec iov[MH_IOV_MAX];
    struct msghdr msg = *r->msg;
    ssize_t got;

    msg.msg_iovlen = mh_iov_cap(r->msg->msg_iov, r->msg->msg_iovlen, cap, iov);
    msg.msg_iov = iov;
    got = raw_recv(r->fd, &msg, (r->flags & ~MSG_WAITALL) | MSG_DONTWAIT);
    r->msg->msg_namelen = msg.msg_namelen;
    r->msg->msg_controllen = msg.msg_controllen;
    r->msg->msg_flags = msg.msg_flags;
    return got;
}

static size_t asked(const struct msghdr *msg)
{
    return mh_iov_total(msg->msg_iov, msg->msg_iovlen);
}

static int64_t limit(const struct mh_desc *d, int flags)
{
    if (d->nonblocking || (flags & MSG_DONTWAIT))
        return -2;
    return d->rcvtimeo_ns ? d->rcvtimeo_ns : -1;
}

static int64_t record(const struct receive *r, int effect, ssize_t result, int err,
                      const struct mh_verdict *v)
{
    return mh_record(&(struct mh_story){.kind = MH_OP_recv,
                                        .call = r->call,
                                        .fd = r->fd,
                                        .d = r->d,
                                        .asked = asked(r->msg),
                                        .result = result,
                                        .err = err,
                                        .wait_ns = mh_now() - r->start,
                                        .timeout_ns = limit(r->d, r->flags),
                                        .verdict = v,
                                        .effect = effect});
}

/* Effects of the verdict on a read that may happen now. Returns true when *ret is the answer; else
 * *cap may have been lowered. */
static bool effects(struct receive *r, uint64_t *cap, ssize_t *ret)
{
    struct mh_desc *d = r->d;
    const struct mh_verdict *v = &d->in.verdict;
    uint64_t room;

    if (!d->in.decided || v->fault < 0)
        return false;
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        r->watch = record(r, MH_EFFECT_error, -1, v->error, v);
        *ret = -v->error;
        d->in.verdict.effects = 0; /* told once; what has arrived can be read afterwards */
        if (r->watch && mh_errno_is_fatal(v->error))
            mh_connection_kill(d, r->fd, 0, r->watch);
        return r->watch != 0;
    }
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_reset)) {
        room = v->reset_after > d->delivered ? v->reset_after - d->delivered : 0;
        if (!room && (r->watch = record(r, MH_EFFECT_reset, -1, ECONNRESET, v))) {
            mh_connection_kill(d, r->fd, 0, r->watch);
            *ret = -ECONNRESET;
            return true;
        }
        if (room)
            *cap = MH_MIN(*cap, room);
    }
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_eof)) {
        room = v->eof_after > d->delivered ? v->eof_after - d->delivered : 0;
        if (!room && (r->watch = record(r, MH_EFFECT_eof, 0, 0, v))) {
            mh_connection_end(d, r->fd, 0);
            *ret = 0;
            return true;
        }
        if (room)
            *cap = MH_MIN(*cap, room);
    }
    if ((v->effects & MH_EFFECT_BIT(MH_EFFECT_short)) && v->short_len) {
        if (!d->in.recorded && asked(r->msg) > v->short_len) {
            r->partial = record(r, MH_EFFECT_short, v->short_len, 0, v);
            d->in.recorded = r->partial != 0;
        }
        if (d->in.recorded)
            *cap = MH_MIN(*cap, v->short_len);
    }
    return false;
}

/* With these `got` bytes the verdict's limit is reached: the reset or the end comes now, so that
 * whatever the program asks next (poll, SO_ERROR, send) finds the connection as a real one leaves
 * it. */
static void close_if_reached(struct receive *r, uint64_t got)
{
    struct mh_desc *d = r->d;
    const struct mh_verdict v = d->in.verdict;
    uint64_t upto = d->delivered + got;
    int64_t op;

    if (!d->in.decided || v.fault < 0)
        return;
    if ((v.effects & MH_EFFECT_BIT(MH_EFFECT_reset)) && upto >= v.reset_after) {
        op = record(r, MH_EFFECT_reset, -1, ECONNRESET, &v);
        if (op)
            mh_connection_kill(d, r->fd, ECONNRESET, op);
    } else if ((v.effects & MH_EFFECT_BIT(MH_EFFECT_eof)) && upto >= v.eof_after) {
        op = record(r, MH_EFFECT_eof, 0, 0, &v);
        if (op)
            mh_connection_end(d, r->fd, op);
    }
}

/* Changes what has been received, in the recording or not at all. */
static void corrupt(const struct receive *r, size_t n)
{
    struct mh_desc *d = r->d;
    const struct mh_verdict *v = &d->in.verdict;
    struct mh_stretch s = {d->consumed, n, d->in.at, d->in.n};

    if (d->kind != MH_DESC_stream)
        s = (struct mh_stretch){d->delivered, n, d->delivered, n};
    if (!d->in.decided || v->fault < 0 || !(v->effects & MH_EFFECT_BIT(MH_EFFECT_corrupt)) ||
        !mh_corrupt_count(d, v, &s))
        return;
    if (!d->in.corrupted)
        d->in.corrupted = record(r, MH_EFFECT_corrupt, (ssize_t)n, 0, v) != 0;
    if (d->in.corrupted)
        mh_corrupt(d, v, &s, r->msg->msg_iov, r->msg->msg_iovlen);
}

/* Tries once, under the lock. -EAGAIN: nothing may be seen yet. */
static ssize_t attempt(struct receive *r)
{
    struct mh_desc *d = r->d;
    int64_t now = mh_now();
    uint64_t cap;
    ssize_t got;

    mh_hole_settle(d, r->fd, now);
    if (d->dead) {
        got = mh_dead_recv(d);
        r->watch = got < 0 || d->dead == MH_DEAD_eof ? d->dead_op : 0;
        if (d->dead == MH_DEAD_eof) /* of many looks at the end the first is followed */
            d->dead_op = 0;
        return got;
    }
    mh_stream_look(d, r->fd, now);
    cap = mh_stream_released(d, now);
    if (!cap)
        return -EAGAIN;
    if (cap == MH_STREAM_END && d->stamped > d->consumed)
        return 0; /* shut down by the program itself while bytes were held back */
    if (effects(r, &cap, &got))
        return got;
    got = cap == MH_STREAM_END ? raw_recv(r->fd, r->msg, r->flags | MSG_DONTWAIT)
                               : capped_recv(r, cap);
    if (got > 0)
        corrupt(r, (size_t)got);
    if (got > 0 && !(r->flags & MSG_PEEK))
        close_if_reached(r, (uint64_t)got);
    if (got >= 0 && !(r->flags & MSG_PEEK) && !d->dead)
        mh_stream_consumed(d, (uint64_t)got);
    return got;
}

static ssize_t recv_held(struct receive *r)
{
    int64_t lim = limit(r->d, r->flags);
    int64_t deadline = lim < 0 ? MH_NEVER : r->start + lim, conn = r->d->conn;

    for (;;) {
        struct pollfd p = {r->fd, POLLIN, 0};
        int64_t next, now;
        ssize_t got;
        int w;

        if (!mh_desc_lock(r->d))
            return raw_recv(r->fd, r->msg, r->flags);
        got = attempt(r);
        now = mh_now();
        next = mh_stream_next(r->d, now);
        mh_desc_unlock(r->d);
        if (got != -EAGAIN)
            return got;
        if (lim == -2) {
            if (r->d->hole.op)
                mh_epoll_watch(r->fd, next);
            else if (r->d->nholds || r->d->end_release)
                mh_epoll_rearm(r->fd, next);
            return -EAGAIN;
        }
        if (now >= deadline) {
            r->watch = mh_stream_blame(r->d, POLLIN, now);
            return -EAGAIN;
        }
        w = mh_wait(&p, 1, deadline == MH_NEVER ? -1 : deadline - now, NULL, false);
        if (w < 0)
            return w;
        if (!mh_fd_still(r->fd, r->d, conn))
            return -EBADF;
    }
}

ssize_t mh_recv(enum mh_call call, int fd, struct msghdr *msg, int flags)
{
    struct receive r = {.call = call, .fd = fd, .flags = flags, .msg = msg, .d = mh_fd_get(fd)};
    struct mh_desc *d = r.d;
    bool blocking = d && limit(d, flags) != -2;
    uint64_t task = 0;
    ssize_t got;

    if (!d) {
        got = raw_recv(fd, msg, flags);
        return mh_finish(got, 0);
    }
    mh_rest_listens(d);
    if (blocking || mh_stream_armed(d)) {
        r.start = mh_now();
        if (blocking)
            mh_seen_wait(d, call, r.start, limit(d, flags), 1);
    }
    got = mh_stream_armed(d) ? recv_held(&r) : raw_recv(fd, msg, flags);
    if (blocking)
        mh_seen_waited(d, call, limit(d, flags), mh_now() - r.start,
                       got >= 0         ? 1
                       : got == -EAGAIN ? 0
                                        : -1,
                       got < 0 ? (int)-got : 0, 1);
    if (got < 0 && mh_errno_is_failure((int)-got)) {
        if (!r.watch)
            r.watch = record(&r, 0, -1, (int)-got, NULL);
        mh_seen_end(d, (int)-got);
    } else if (got == 0 && d->kind == MH_DESC_stream && asked(msg)) {
        if (!r.watch && mh_seen_unfinished(d))
            r.watch = record(&r, 0, 0, 0, NULL);
        task = mh_seen_waiter(d);
        mh_seen_end(d, 0);
    } else if (got > 0 && !(flags & MSG_PEEK)) {
        r.watch = r.partial;
        if (d->in.op)
            mh_python_came(d->in.op);
        mh_seen_received(d, msg->msg_iov, msg->msg_iovlen, (size_t)got);
    }
    return mh_finish_for(got, r.watch, task);
}
