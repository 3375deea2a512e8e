/* SPDX-License-Identifier: Apache-2.0 */
/* Cut connections; see sever.h. A hole that has swallowed bytes cannot be mended: the peer never
 * got them, and a real partition of that length ends in the kernel's own time-out or in the reset
 * of a peer that has forgotten the connection. */
#include "fd/sever.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "base/sys.h"
#include "fd/decide.h"
#include "fd/lift.h"
#include "fd/stream.h"

#include "base/banned.h"

/* Linux retransmits 15 times (tcp_retries2) before it gives a connection up. */
#define RETRANSMIT_NS INT64_C(924600000000)

void mh_connection_kill(struct mh_desc *d, int fd, int err, int64_t op)
{
    struct sockaddr unspec = {.sa_family = AF_UNSPEC};

    if (d->peer && d->peer->family == AF_UNIX)
        mh_sys(SYS_shutdown, fd, SHUT_RDWR);
    else /* tcp_disconnect() sends an RST at once and leaves the descriptor open */
        mh_sys(SYS_connect, fd, &unspec, sizeof(unspec));
    d->dead = MH_DEAD_reset;
    d->dead_err = err;
    d->dead_op = op;
    d->peer_left = true;
    d->connecting = false;
    d->nholds = 0;
    d->flow.rate = 0;
    d->end_release = 0;
    d->in.decided = d->out.decided = false;
    d->hole.op = 0;
}

bool mh_errno_is_fatal(int err)
{
    switch (err) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ECONNABORTED:
        return true;
    default:
        return false;
    }
}

void mh_connection_end(struct mh_desc *d, int fd, int64_t op)
{
    /* The kernel knows, too, so that it wakes who waits although nothing will arrive. The other end
     * of a unix socket would be told. */
    if (d->peer && d->peer->family != AF_UNIX)
        mh_sys(SYS_shutdown, fd, SHUT_RD);
    d->dead = MH_DEAD_eof;
    d->dead_op = op;
    d->peer_left = true;
    d->nholds = 0;
    d->flow.rate = 0;
    d->end_release = 0;
    d->in.decided = false;
}

/* What the verdict of the read side does to the connection before its next byte is seen: an effect,
 * and the errno that the program meets (0: the end). -1: nothing. */
static int fate(const struct mh_desc *d, int *ret_err)
{
    const struct mh_verdict *v = &d->in.verdict;

    if (!d->in.decided || v->fault < 0)
        return -1;
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        *ret_err = v->error;
        return mh_errno_is_fatal(v->error) ? MH_EFFECT_error : -1;
    }
    if ((v->effects & MH_EFFECT_BIT(MH_EFFECT_reset)) && v->reset_after <= d->delivered) {
        *ret_err = ECONNRESET;
        return MH_EFFECT_reset;
    }
    *ret_err = 0;
    return (v->effects & MH_EFFECT_BIT(MH_EFFECT_eof)) && v->eof_after <= d->delivered
               ? MH_EFFECT_eof
               : -1;
}

bool mh_connection_strike(struct mh_desc *d, int fd, int64_t now)
{
    int effect, err;
    int64_t op;

    if (d->kind != MH_DESC_stream || d->dead || d->hole.op || (effect = fate(d, &err)) < 0 ||
        !mh_stream_released(d, now))
        return false;
    op = mh_record(&(struct mh_story){.kind = MH_OP_recv,
                                      .call = MH_CALL_recv,
                                      .fd = fd,
                                      .d = d,
                                      .result = err ? -1 : 0,
                                      .err = err,
                                      .timeout_ns = d->nonblocking   ? -2
                                                    : d->rcvtimeo_ns ? d->rcvtimeo_ns
                                                                     : -1,
                                      .verdict = &d->in.verdict,
                                      .effect = effect,
                                      .place = d->asked.stack ? &d->asked : NULL});
    if (op && err)
        mh_connection_kill(d, fd, err, op);
    else if (op)
        mh_connection_end(d, fd, op);
    return op != 0;
}

void mh_hole_begin(struct mh_desc *d, int fault, int64_t until, int64_t op)
{
    d->hole = (struct mh_hole){.op = op, .fault = fault, .until = until, .err = ECONNRESET};
}

bool mh_hole_settle(struct mh_desc *d, int fd, int64_t now)
{
    if (MH_UNLIKELY(mh_switched()))
        mh_lift(d, fd, now);
    if (MH_LIKELY(!d->hole.op))
        return false;
    if (now < d->hole.until)
        return true;
    if (d->hole.swallowed && d->kind == MH_DESC_stream)
        mh_connection_kill(d, fd, d->hole.err, d->hole.op);
    else
        d->in.decided = d->out.decided = false;
    d->hole.op = 0;
    return false;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return mh_sys(SYS_getsockopt, fd, level, name, &value, &len) < 0 ? 0 : value;
}

/* When the kernel would give up on the first byte that nobody acknowledges. */
static void give_up(struct mh_desc *d, int fd, int64_t now)
{
    int64_t after = RETRANSMIT_NS;
    int ms;

    if (d->kind != MH_DESC_stream || (d->peer && d->peer->family == AF_UNIX))
        return;
    ms = option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
    if (ms > 0)
        after = (int64_t)ms * 1000000;
    if (after < d->hole.until - now) {
        d->hole.until = now + after;
        d->hole.err = ETIMEDOUT;
    }
}

uint64_t mh_hole_swallow(struct mh_desc *d, int fd, uint64_t n, int64_t now)
{
    uint64_t taken = n;

    if (d->kind == MH_DESC_stream) {
        if (!d->hole.room) {
            d->hole.room = (uint64_t)MH_MAX(option(fd, SOL_SOCKET, SO_SNDBUF), 1);
            give_up(d, fd, now);
        }
        taken = d->hole.swallowed < d->hole.room ? MH_MIN(n, d->hole.room - d->hole.swallowed) : 0;
    }
    d->hole.swallowed += taken;
    return taken;
}

bool mh_hole_full(const struct mh_desc *d)
{
    return d->hole.op && d->hole.room && d->hole.swallowed >= d->hole.room;
}
