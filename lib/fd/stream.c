/* SPDX-License-Identifier: Apache-2.0 */
/* Arrivals, holds and readiness of sockets; see stream.h.
 *
 * An operation of the read side is one burst of arrivals: it begins when bytes (or the end, or a
 * datagram, or a connection on a listener) are noticed while nothing earlier is unread, and
 * everything that arrives before it is consumed shares its verdict. So a slow link shifts a train
 * of messages and does not stretch it, and release times never go backwards. */
#include "fd/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/sever.h"

#include "base/banned.h"

/* The operation of the read side that arrivals on this description begin. */
static enum mh_op_kind arrival_kind(const struct mh_desc *d)
{
    return d->kind == MH_DESC_listener ? MH_OP_accept : MH_OP_recv;
}

static int64_t record(const struct mh_desc *d, int fd, const struct mh_place *place, int effect,
                      uint64_t bytes, int64_t delay)
{
    return mh_record(&(struct mh_story){.kind = arrival_kind(d),
                                        .call = MH_CALL_recv,
                                        .fd = fd,
                                        .d = d,
                                        .asked = bytes,
                                        .wait_ns = -1,
                                        .timeout_ns = d->nonblocking   ? -2
                                                      : d->rcvtimeo_ns ? d->rcvtimeo_ns
                                                                       : -1,
                                        .verdict = &d->in.verdict,
                                        .effect = effect,
                                        .delay_ns = delay,
                                        .place = place});
}

/* What of the verdict holds the arrival of these bytes back; in the recording, or not at all. */
static void arrival_hold(struct mh_desc *d, int fd, const struct mh_place *place, uint64_t bytes,
                         int64_t now)
{
    struct mh_pending *in = &d->in;
    struct mh_verdict *v = &in->verdict;
    int effect = v->effects & MH_EFFECT_BIT(MH_EFFECT_hang)        ? MH_EFFECT_hang
                 : v->effects & MH_EFFECT_BIT(MH_EFFECT_blackhole) ? MH_EFFECT_blackhole
                                                                   : MH_EFFECT_delay;
    bool silent = effect != MH_EFFECT_delay;

    if (silent || v->delay_ns) {
        in->op = record(d, fd, place, effect, 0, silent ? 0 : v->delay_ns);
        mh_python_held(in->op, place->task);
        if (!in->op) { /* could not be recorded: not injected */
            v->delay_ns = 0;
            v->effects = 0;
            v->fault = v->delay_fault = -1;
            return;
        }
        if (effect == MH_EFFECT_blackhole && d->kind == MH_DESC_stream &&
            (mh_guest.rules->faults[v->fault].ops & MH_OP_BIT(MH_OP_send)))
            mh_hole_begin(d, v->fault, mh_window_end((unsigned)v->fault, now), in->op);
    }
    if ((v->effects & MH_EFFECT_BIT(MH_EFFECT_rate)) && !silent && bytes &&
        record(d, fd, place, MH_EFFECT_rate, bytes, mh_flow_ns(bytes, v->rate))) {
        if (d->kind == MH_DESC_stream)
            d->flow.rate = v->rate;
        else
            v->delay_ns += mh_flow_ns(bytes, v->rate);
    }
}

/* Begins an operation with so many bytes: verdict, and for what holds them back its record. */
static void arrival_decide(struct mh_desc *d, int fd, uint64_t bytes, int64_t now)
{
    struct mh_verdict *v = &d->in.verdict;
    struct mh_place place;

    d->in = (struct mh_pending){.decided = true, .at = d->stamped, .n = bytes};
    d->flow.rate = 0;
    v->fault = v->delay_fault = -1;
    if (!(d->armed & MH_OP_BIT(arrival_kind(d))))
        return;
    place = d->asked; /* who waits for these bytes asked for them there */
    if (!place.stack)
        mh_python_place(&place);
    if (mh_decide(d, arrival_kind(d), &place, 0, v))
        arrival_hold(d, fd, &place, bytes, now);
}

/* When something that is noticed now may be seen. */
static int64_t arrival_release(struct mh_desc *d, int64_t now)
{
    const struct mh_verdict *v = &d->in.verdict;
    int64_t release = now + v->delay_ns;

    if (v->effects & MH_EFFECTS_SILENT)
        release = mh_window_end((unsigned)v->fault, now);
    if (release < d->last_release)
        release = d->last_release;
    d->last_release = release;
    return release;
}

static uint32_t poll_now(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    struct timespec zero = {0, 0};

    return mh_sys(SYS_ppoll, &p, 1, &zero, 0, 8) == 1 ? (uint16_t)p.revents : 0;
}

/* When what is noticed now really came. A program that computes for a second finds its answer there
 * afterwards; nobody stamped it meanwhile. TCP remembers when it last received data, in jiffies:
 * the margin keeps an estimate from being early. */
static int64_t arrival_time(const struct mh_desc *d, int fd, int64_t now)
{
    const int64_t margin = 12000000;
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    int64_t ago;

    if (!d->peer || d->peer->family == AF_UNIX || d->kind != MH_DESC_stream ||
        mh_sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return now;
    ago = (int64_t)info.tcpi_last_data_recv * 1000000 - margin;
    return ago <= 0 ? now : MH_MAX(now - ago, d->looked_at);
}

/* How far into the stream a slow link has come; whole packets, but for the last bytes there are. */
static uint64_t flow_upto(const struct mh_desc *d, int64_t now)
{
    const struct mh_flow *f = &d->flow;
    uint64_t n;

    if (!f->rate)
        return UINT64_MAX;
    if (now <= f->from)
        return f->base;
    n = (uint64_t)((unsigned __int128)(now - f->from) * f->rate / 1000000000);
    return f->base + n >= d->stamped ? UINT64_MAX : f->base + n - n % mh_flow_packet(f->rate);
}

/* When it will have brought the next packet; MH_NEVER when nothing is on its way. */
static int64_t flow_next(const struct mh_desc *d, int64_t now)
{
    uint64_t upto = flow_upto(d, now);

    if (upto >= d->stamped)
        return MH_NEVER;
    upto = MH_MIN(upto + mh_flow_packet(d->flow.rate), d->stamped);
    return d->flow.from + mh_flow_ns(upto - d->flow.base, d->flow.rate) + 1;
}

static void look_bytes(struct mh_desc *d, int fd, int64_t now)
{
    int available = 0;
    uint64_t end;

    if (mh_sys(SYS_ioctl, fd, FIONREAD, &available) < 0)
        available = 0;
    end = d->consumed + (uint64_t)available;
    if (end > d->stamped) {
        struct mh_hold hold;

        if (!d->in.decided || d->stamped == d->consumed) {
            if (!d->in.decided || !d->end_release)
                arrival_decide(d, fd, (uint64_t)available, now);
            d->nholds = 0;
            d->flow.base = UINT64_MAX;
        }
        hold = (struct mh_hold){end, arrival_release(d, arrival_time(d, fd, now))};
        if (d->nholds && d->holds[d->nholds - 1].release == hold.release)
            d->holds[d->nholds - 1].end = end;
        else if (d->nholds < MH_HOLDS)
            d->holds[d->nholds++] = hold;
        else /* the queue is full: the last entry waits for the newest bytes */
            d->holds[MH_HOLDS - 1] = hold;
        if (d->flow.base == UINT64_MAX || flow_upto(d, now) == UINT64_MAX) {
            d->flow.base = d->stamped; /* the link was idle */
            d->flow.from = hold.release;
        }
        d->stamped = end;
    }
    if (!d->end_release && (poll_now(fd, POLLIN | POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR))) {
        int more = 0;

        /* FIONREAD and poll() are two looks: bytes may have come between them. */
        if (mh_sys(SYS_ioctl, fd, FIONREAD, &more) == 0 && more > available) {
            look_bytes(d, fd, now);
            return;
        }
        if (!d->in.decided)
            arrival_decide(d, fd, 0, now);
        d->end_release = arrival_release(d, now);
    }
}

bool mh_stream_connecting(struct mh_desc *d, int fd, int64_t now)
{
    uint32_t bits;

    if (MH_LIKELY(!d->connecting))
        return false;
    if (d->dead || d->out.release > now)
        return true;
    bits = poll_now(fd, POLLOUT);
    if (!(bits & POLLOUT) || (bits & (POLLERR | POLLHUP)))
        return true;
    d->connecting = false;
    if (d->out.op)
        mh_python_came(d->out.op);
    mh_event(connected, NULL, 0, .conn = d->conn, .err = 0, .wait_ns = now - d->connect_at);
    return false;
}

void mh_stream_look(struct mh_desc *d, int fd, int64_t now)
{
    if (d->dead || d->hole.op || mh_stream_connecting(d, fd, now))
        return;
    if (d->kind == MH_DESC_stream) {
        look_bytes(d, fd, now);
        d->looked_at = now;
    } else if (!d->in.decided && (poll_now(fd, POLLIN) & (POLLIN | POLLERR | POLLHUP))) {
        int size = 0;

        if (d->kind == MH_DESC_datagram)
            mh_sys(SYS_ioctl, fd, FIONREAD, &size);
        arrival_decide(d, fd, (uint64_t)size, now);
        d->end_release = arrival_release(d, now);
    }
}

uint64_t mh_stream_released(const struct mh_desc *d, int64_t now)
{
    uint64_t upto = d->consumed;

    if (d->kind != MH_DESC_stream)
        return d->in.decided && d->end_release <= now ? MH_STREAM_END : 0;
    for (unsigned i = 0; i < d->nholds; i++)
        if (d->holds[i].release <= now)
            upto = MH_MAX(upto, d->holds[i].end);
    upto = MH_MIN(upto, flow_upto(d, now));
    if (upto > d->consumed)
        return upto - d->consumed;
    if (d->read_shut) /* the program ended it itself: what is held back will never be seen */
        return MH_STREAM_END;
    return d->stamped == d->consumed && d->end_release && d->end_release <= now ? MH_STREAM_END : 0;
}

int64_t mh_stream_next(const struct mh_desc *d, int64_t now)
{
    int64_t next = d->kind == MH_DESC_stream ? flow_next(d, now) : MH_NEVER;

    for (unsigned i = 0; i < d->nholds; i++)
        if (d->holds[i].release > now)
            next = MH_MIN(next, d->holds[i].release);
    if (d->end_release > now)
        next = MH_MIN(next, d->end_release);
    if (d->hole.op && d->hole.until > now)
        next = MH_MIN(next, d->hole.until);
    if ((d->out.decided || d->connecting) && d->out.release > now)
        next = MH_MIN(next, d->out.release);
    return next;
}

int64_t mh_stream_blame(const struct mh_desc *d, uint32_t events, int64_t now)
{
    if (d->hole.op)
        return d->hole.op;
    if ((events & POLLOUT) && d->out.release > now && (d->out.decided || d->connecting))
        return d->out.op;
    return (events & POLLIN) && d->in.decided && d->last_release > now ? d->in.op : 0;
}

void mh_stream_consumed(struct mh_desc *d, uint64_t n)
{
    unsigned kept = 0;

    if (d->kind != MH_DESC_stream) {
        d->in.decided = false;
        d->end_release = 0;
        return;
    }
    d->consumed += n;
    if (d->consumed > d->stamped)
        d->stamped = d->consumed; /* bytes came and went between two looks */
    for (unsigned i = 0; i < d->nholds; i++)
        if (d->holds[i].end > d->consumed)
            d->holds[kept++] = d->holds[i];
    d->nholds = kept;
    if (d->consumed == d->stamped && !d->end_release)
        d->in.decided = false;
}

/* Readiness of a connection that an injected fault has ended, as tcp_poll() gives it. */
static uint32_t dead_events(const struct mh_desc *d, uint32_t revents)
{
    switch (d->dead) {
    case MH_DEAD_eof:
        return revents | POLLIN | POLLRDNORM | POLLRDHUP;
    case MH_DEAD_reset:
    case MH_DEAD_connect:
        return POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM | POLLHUP |
               (d->dead_err ? POLLERR : 0);
    default:
        return revents;
    }
}

/* Is a fault's end of the stream right behind these bytes? Then it has come with them. */
static bool ends_with(const struct mh_desc *d, uint64_t released)
{
    const struct mh_verdict *v = &d->in.verdict;

    return d->kind == MH_DESC_stream && d->in.decided && v->fault >= 0 &&
           (v->effects & MH_EFFECT_BIT(MH_EFFECT_eof)) && released != MH_STREAM_END &&
           d->delivered + released >= v->eof_after;
}

uint32_t mh_stream_filter(struct mh_desc *d, int fd, uint32_t revents, int64_t now, int64_t *next)
{
    const uint32_t in_bits = POLLIN | POLLRDNORM | POLLRDBAND;
    const uint32_t end_bits = POLLRDHUP | POLLHUP | POLLERR;
    const uint32_t out_bits = POLLOUT | POLLWRNORM | POLLWRBAND;
    bool hole = mh_hole_settle(d, fd, now);

    if (d->connecting && d->out.release > now) {
        *next = MH_MIN(*next, d->out.release);
        return 0;
    }
    if (d->dead)
        return dead_events(d, revents);
    if (mh_stream_connecting(d, fd, now))
        return revents;
    if (hole) {
        if (!mh_stream_released(d, now))
            revents &= ~in_bits;
        revents &= ~(d->read_shut ? 0 : end_bits) & ~(mh_hole_full(d) ? out_bits : 0);
        *next = MH_MIN(*next, mh_stream_next(d, now));
        return revents;
    }
    if ((revents & (in_bits | end_bits)) &&
        (d->armed & MH_OP_BIT(arrival_kind(d)) || d->nholds || d->end_release > now)) {
        uint64_t released;

        mh_stream_look(d, fd, now);
        released = mh_stream_released(d, now);
        if (!released)
            revents &= ~in_bits;
        if ((d->end_release > now || flow_upto(d, now) < d->stamped) && !d->read_shut)
            revents &= ~end_bits;
        else if (released && ends_with(d, released))
            revents |= POLLRDHUP;
    }
    if (d->out.decided && d->out.release > now)
        revents &= ~out_bits;
    *next = MH_MIN(*next, mh_stream_next(d, now));
    return revents;
}
