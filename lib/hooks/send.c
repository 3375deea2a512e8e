/* SPDX-License-Identifier: Apache-2.0 */
/* Sending on a socket. A delay is a full send buffer: not writable until the release. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/iov.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fault/connection.h"
#include "fd/decide.h"
#include "fd/epoll.h"
#include "fd/lift.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"

#include "base/banned.h"

struct sending {
    enum mh_call call;
    int fd, flags;
    const struct msghdr *msg;
    struct mh_desc *d;
    int64_t start;
    int64_t watch, partial; /* as in recv.c */
};

static ssize_t raw_send(int fd, const struct msghdr *msg, int flags)
{
    if (msg->msg_iovlen == 1 && !msg->msg_name && !msg->msg_control)
        return mh_sys(SYS_sendto, fd, msg->msg_iov->iov_base, msg->msg_iov->iov_len, flags, 0, 0);
    return mh_sys(SYS_sendmsg, fd, msg, flags);
}

static ssize_t capped_send(const struct sending *s, uint64_t cap)
{
    struct iovec iov[MH_IOV_MAX];
    struct msghdr msg = *s->msg;

    msg.msg_iovlen = mh_iov_cap(s->msg->msg_iov, s->msg->msg_iovlen, cap, iov);
    msg.msg_iov = iov;
    return raw_send(s->fd, &msg, s->flags);
}

static size_t asked(const struct msghdr *msg)
{
    return mh_iov_total(msg->msg_iov, msg->msg_iovlen);
}

static int64_t limit(const struct mh_desc *d, int flags)
{
    if (d->nonblocking || (flags & MSG_DONTWAIT))
        return -2;
    return d->sndtimeo_ns ? d->sndtimeo_ns : -1;
}

/* Is it not known yet how long this will take? */
static bool withheld(int effect, int64_t delay)
{
    return delay || (MH_EFFECT_BIT(effect) & MH_EFFECTS_SILENT);
}

static int64_t record(const struct sending *s, int effect, ssize_t result, int err,
                      const struct mh_verdict *v, int64_t delay)
{
    return mh_record(
        &(struct mh_story){.kind = MH_OP_send,
                           .call = s->call,
                           .fd = s->fd,
                           .d = s->d,
                           .asked = asked(s->msg),
                           .result = result,
                           .err = err,
                           .wait_ns = withheld(effect, delay) ? -1 : mh_now() - s->start,
                           .timeout_ns = limit(s->d, s->flags),
                           .verdict = v,
                           .effect = effect,
                           .delay_ns = delay});
}

/* On a slow link it waits for what was sent before it, and for itself to get through: what has left
 * at once the peer would have at once. */
static void slow_link(struct sending *s, int64_t now)
{
    struct mh_desc *d = s->d;
    struct mh_verdict *v = &d->out.verdict;
    uint64_t n = asked(s->msg);

    if (!(v->effects & MH_EFFECT_BIT(MH_EFFECT_rate)))
        return;
    if (!record(s, MH_EFFECT_rate, 0, 0, v, mh_flow_ns(n, v->rate))) {
        v->effects &= ~MH_EFFECT_BIT(MH_EFFECT_rate);
        return;
    }
    if (d->kind == MH_DESC_stream)
        n = MH_MIN(n, mh_flow_packet(v->rate));
    d->out.release = MH_MAX(MH_MAX(d->out.release, d->out_free), now) + mh_flow_ns(n, v->rate);
}

/* A new operation: verdict, and the release of what holds it back. */
static void decide(struct sending *s, int64_t now)
{
    struct mh_desc *d = s->d;
    struct mh_verdict *v = &d->out.verdict;
    struct mh_place place;
    int effect = MH_EFFECT_delay;

    d->out = (struct mh_pending){.decided = true};
    v->fault = v->delay_fault = -1;
    if (!(d->armed & MH_OP_BIT(MH_OP_send)))
        return;
    mh_python_place(&place);
    if (!mh_decide(d, MH_OP_send, &place, asked(s->msg), v))
        return;
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_hang))
        effect = MH_EFFECT_hang;
    else if (v->effects & MH_EFFECT_BIT(MH_EFFECT_blackhole))
        effect = MH_EFFECT_blackhole;
    else if (!v->delay_ns) {
        slow_link(s, now);
        return;
    }
    d->out.op = record(s, effect, 0, 0, v, v->delay_ns);
    mh_python_held(d->out.op, place.task);
    if (!d->out.op) {
        v->effects = 0;
    } else if (effect == MH_EFFECT_blackhole) {
        mh_stream_look(d, s->fd, now); /* what has come already can still be read */
        mh_hole_begin(d, v->fault, mh_window_end((unsigned)v->fault, now), d->out.op);
    } else {
        d->out.release =
            effect == MH_EFFECT_hang ? mh_window_end((unsigned)v->fault, now) : now + v->delay_ns;
        slow_link(s, now);
    }
}

/* Effects on a send that may happen now; as in recv.c. */
static bool effects(struct sending *s, uint64_t *cap, ssize_t *ret)
{
    struct mh_desc *d = s->d;
    struct mh_verdict *v = &d->out.verdict;

    if (v->fault < 0)
        return false;
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        s->watch = record(s, MH_EFFECT_error, -1, v->error, v, 0);
        *ret = -v->error;
        d->out.decided = false;
        if (s->watch && mh_errno_is_fatal(v->error))
            mh_connection_kill(d, s->fd, 0, s->watch);
        return s->watch != 0;
    }
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_reset)) {
        uint64_t room = v->reset_after > d->sent ? v->reset_after - d->sent : 0;

        if (!room && (s->watch = record(s, MH_EFFECT_reset, -1, ECONNRESET, v, 0))) {
            mh_connection_kill(d, s->fd, 0, s->watch);
            *ret = -ECONNRESET;
            return true;
        }
        if (room)
            *cap = MH_MIN(*cap, room);
    }
    if (d->kind != MH_DESC_stream) /* a datagram goes whole or not at all */
        return false;
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_rate))
        *cap = MH_MIN(*cap, mh_flow_packet(v->rate));
    if ((v->effects & MH_EFFECT_BIT(MH_EFFECT_short)) && v->short_len &&
        asked(s->msg) > v->short_len &&
        (s->partial = record(s, MH_EFFECT_short, v->short_len, 0, v, 0)))
        *cap = MH_MIN(*cap, v->short_len);
    return false;
}

/* The path is a black hole: the program sees its bytes taken, as far as a send buffer goes. */
static int64_t into_hole(struct sending *s, int64_t now, ssize_t *ret)
{
    struct mh_desc *d = s->d;
    uint64_t n = asked(s->msg), taken = mh_hole_swallow(d, s->fd, n, now);

    d->out.decided = false;
    if (n && !taken)
        return d->hole.until;
    *ret = (ssize_t)taken;
    return 1;
}

/* May the send go ahead? 0 yes, for *cap bytes; 1: *ret is the answer; else wait to the release. */
static int64_t gate(struct sending *s, uint64_t *cap, ssize_t *ret)
{
    struct mh_desc *d = s->d;
    int64_t now = mh_now(), until = 0;
    bool hole;

    if (!mh_desc_lock(d))
        return 0;
    hole = mh_hole_settle(d, s->fd, now);
    if (d->dead == MH_DEAD_reset || d->dead == MH_DEAD_connect) {
        *ret = mh_dead_send(d);
        s->watch = d->dead_op;
        until = 1;
    } else {
        if (!d->out.decided && !hole && !mh_stream_connecting(d, s->fd, now))
            decide(s, now);
        if (d->hole.op)
            until = into_hole(s, now, ret);
        else if (d->out.release > now && (d->out.decided || d->connecting))
            until = d->out.release;
        else if (d->out.decided && effects(s, cap, ret))
            until = 1;
    }
    mh_desc_unlock(d);
    return until;
}

static ssize_t send_held(struct sending *s)
{
    int64_t lim = limit(s->d, s->flags);
    int64_t deadline = lim < 0 ? MH_NEVER : s->start + lim;
    uint64_t cap = UINT64_MAX;
    int64_t until, conn = s->d->conn;
    ssize_t sent = -EAGAIN;

    while ((until = gate(s, &cap, &sent)) > 1) {
        int w;

        if (lim == -2) {
            if (s->d->hole.op)
                mh_epoll_watch(s->fd, until);
            else
                mh_epoll_rearm(s->fd, until);
            return -EAGAIN;
        }
        if (mh_now() >= deadline)
            return -EAGAIN;
        w = mh_wait_until(MH_MIN(MH_MIN(deadline, until), mh_now() + MH_LIFT_TICK));
        if (w < 0)
            return w;
        if (!mh_fd_still(s->fd, s->d, conn))
            return -EBADF;
    }
    if (until == 1) {
        if (s->d->hole.op)
            mh_epoll_watch(s->fd, s->d->hole.until);
        return sent;
    }
    sent = cap == UINT64_MAX ? raw_send(s->fd, s->msg, s->flags) : capped_send(s, cap);
    if (sent != -EAGAIN && sent != -EINTR && mh_desc_lock(s->d)) {
        s->d->out.decided = false;
        if (s->d->out.op && s->d->nonblocking)
            mh_python_came(s->d->out.op);
        if (sent > 0 && s->d->out.verdict.rate)
            s->d->out_free = mh_now();
        mh_desc_unlock(s->d);
    }
    return sent;
}

ssize_t mh_send(enum mh_call call, int fd, const struct msghdr *msg, int flags)
{
    struct sending s = {.call = call, .fd = fd, .flags = flags, .msg = msg, .d = mh_fd_get(fd)};
    struct mh_desc *d = s.d;
    ssize_t sent;

    if (!d) {
        sent = raw_send(fd, msg, flags);
        return mh_finish(sent, 0);
    }
    mh_rest_next(d, MH_OP_send, msg->msg_iov, msg->msg_iovlen);
    if (mh_stream_armed(d)) {
        s.start = mh_now();
        sent = send_held(&s);
        /* The kernel's own EPIPE has raised the signal already; ours has not. */
        if (sent == -EPIPE && d->dead && !(flags & MSG_NOSIGNAL))
            mh_sys(SYS_tgkill, mh_sys_getpid(), mh_sys_gettid(), SIGPIPE);
    } else {
        sent = raw_send(fd, msg, flags);
    }
    if (sent > 0) {
        if (s.partial && (size_t)sent < asked(msg))
            mh_rest_begin(d, MH_OP_send, fd, msg->msg_iov, msg->msg_iovlen, (uint64_t)sent,
                          s.partial, -1);
        mh_seen_sent(d, msg->msg_iov, msg->msg_iovlen, (size_t)sent);
    }
    if (sent < 0 && mh_errno_is_failure((int)-sent)) {
        s.start = s.start ? s.start : mh_now();
        if (!s.watch)
            s.watch = record(&s, 0, -1, (int)-sent, NULL, 0);
        mh_seen_end(d, (int)-sent);
    }
    return mh_finish(sent, sent > 0 ? s.partial : s.watch);
}
