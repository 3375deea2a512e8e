/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting. A late connection is under way until its release; a failed one says so as the kernel
 * would: at once on a blocking socket, through SO_ERROR on a non-blocking one. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "event/write.h"
#include "fault/connection.h"
#include "fd/caller.h"
#include "fd/decide.h"
#include "fd/lift.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"
#include "hooks/sockets.h"

#include "base/banned.h"

/* Linux gives a connection attempt up after tcp_syn_retries (6): 127 s. */
#define SYN_TIMEOUT_NS INT64_C(127000000000)

/* One connect call under way. */
struct connecting {
    int fd;
    const struct sockaddr *addr;
    socklen_t len;
    struct mh_desc *d;
    int64_t start, watch;
    struct mh_place place;
    struct mh_verdict v;
};

static int64_t limit(const struct mh_desc *d)
{
    return d->nonblocking ? -2 : d->sndtimeo_ns ? d->sndtimeo_ns : -1;
}

static int64_t record(const struct connecting *c, const struct mh_verdict *v, int effect, int err,
                      int64_t delay)
{
    return mh_record(&(struct mh_story){.kind = MH_OP_connect,
                                        .call = MH_CALL_connect,
                                        .fd = c->fd,
                                        .d = c->d,
                                        .result = err ? -1 : 0,
                                        .err = err,
                                        .wait_ns = delay ? -1 : mh_now() - c->start,
                                        .timeout_ns = limit(c->d),
                                        .verdict = v,
                                        .effect = effect,
                                        .delay_ns = delay,
                                        .place = &c->place});
}

/* The connection's end of being set up is `release` away; err then (0: what the kernel says). */
static void defer(struct connecting *c, int64_t release, int err)
{
    if (!mh_desc_lock(c->d))
        return;
    c->d->connecting = true;
    c->d->out.decided = false;
    c->d->out.release = release;
    c->d->out.verdict = c->v;
    mh_python_held(c->d->out.op, c->place.task);
    if (err) {
        c->d->dead = MH_DEAD_connect;
        c->d->dead_err = err;
        c->d->dead_op = c->d->out.op;
    }
    mh_desc_unlock(c->d);
}

/* Waits (blocking connect) to `until` or SO_SNDTIMEO. Returns 0; 1 when the fault was lifted; or
 * what connect() answers then. */
static int stand(struct connecting *c, int64_t until)
{
    int64_t deadline = c->d->sndtimeo_ns ? c->start + c->d->sndtimeo_ns : MH_NEVER;
    int r = mh_wait_held(until < deadline ? until : deadline,
                         c->v.fault >= 0 ? c->v.fault : c->v.delay_fault);

    if (r)
        return r;
    return until > deadline ? -EINPROGRESS : 0;
}

/* Does this error come from afar? The others, and all of a unix socket, connect() gives at once. */
static bool from_afar(const struct connecting *c, int err)
{
    return mh_errno_is_fatal(err) && c->d->kind == MH_DESC_stream && c->d->peer->family != AF_UNIX;
}

/* An injected failure, told as the kernel would: at once, or later through SO_ERROR. */
static int fail(struct connecting *c, int err, int64_t release)
{
    int r;

    if (c->d->nonblocking && (release > c->start || from_afar(c, err))) {
        defer(c, release, err);
        return -EINPROGRESS;
    }
    r = release > c->start ? stand(c, release) : 0;
    if (r > 0)
        return (int)mh_sys(SYS_connect, c->fd, c->addr, c->len);
    return r ? r : -err;
}

static int connect_faulted(struct connecting *c)
{
    const struct mh_verdict *v = &c->v;
    int64_t delay = v->delay_ns;
    int r;

    if (v->effects & MH_EFFECTS_SILENT) {
        int64_t until = mh_window_end((unsigned)v->fault, c->start);

        int effect =
            v->effects & MH_EFFECT_BIT(MH_EFFECT_hang) ? MH_EFFECT_hang : MH_EFFECT_blackhole;

        c->d->out.op = record(c, v, effect, 0, 1);
        if (c->d->out.op) {
            if (until > c->start + SYN_TIMEOUT_NS)
                return fail(c, ETIMEDOUT, c->start + SYN_TIMEOUT_NS);
            delay = until - c->start;
        }
    } else if (v->effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        int64_t op = record(c, v, MH_EFFECT_error, v->error, delay);

        if (op) {
            c->d->out.op = op;
            r = fail(c, v->error, c->start + delay);
            if (r != -EINPROGRESS)
                c->watch = op;
            return r;
        }
    } else if (delay) {
        c->d->out.op = record(c, v, MH_EFFECT_delay, 0, delay);
        delay = c->d->out.op ? delay : 0;
    }
    r = (int)mh_sys(SYS_connect, c->fd, c->addr, c->len);
    if (!delay)
        return r;
    if (c->d->nonblocking) {
        if (r < 0 && r != -EINPROGRESS)
            c->d->out.op = 0; /* that error is not ours */
        defer(c, c->start + delay, r == -EINPROGRESS ? 0 : -r);
        return -EINPROGRESS;
    }
    if (r != -EINTR) {
        int w = stand(c, c->start + delay);

        r = w < 0 ? w : r;
    }
    return r;
}

/* connect() on a socket whose connection is being set up already: how far is it? */
static int connect_again(struct connecting *c)
{
    struct mh_desc *d = c->d;
    int r = -EALREADY;

    if (!mh_desc_lock(d))
        return -EALREADY;
    if (d->out.release <= mh_now()) {
        if (d->dead == MH_DEAD_connect) {
            r = -mh_dead_error(d);
            c->watch = r ? d->dead_op : 0;
            d->dead = MH_DEAD_no; /* as in Linux the socket may be used for a new attempt */
            d->connecting = false;
            if (!r)
                r = -ECONNABORTED;
        } else {
            r = (int)mh_sys(SYS_connect, c->fd, c->addr, c->len);
            if (r != -EALREADY && r != -EINPROGRESS)
                d->connecting = false;
        }
    }
    mh_desc_unlock(d);
    return r;
}

enum mh_desc_kind mh_socket_kind(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);

    if (mh_sys(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
        return MH_DESC_none;
    return type == SOCK_STREAM || type == SOCK_SEQPACKET ? MH_DESC_stream : MH_DESC_datagram;
}

static int connect_new(struct connecting *c)
{
    struct mh_peer *peer = mh_peer_get(MH_SIDE_client, c->addr, c->len, 0);
    enum mh_desc_kind kind = peer ? mh_socket_kind(c->fd) : MH_DESC_none;
    const char *name;
    int64_t moved;
    int r;

    c->d = kind ? mh_fd_new(c->fd, kind) : NULL;
    if (!c->d)
        return (int)mh_sys(SYS_connect, c->fd, c->addr, c->len);
    mh_http_init(&c->d->http, mh_guest.control->digest_key, false);
    mh_desc_connect(c->d, MH_SIDE_client, peer);
    c->d->sink = mh_sink_at(c->addr, c->len, kind == MH_DESC_datagram);
    mh_socket_limits(c->d, c->fd);
    mh_python_place(&c->place);
    c->d->asked = c->d->origin = c->place;
    c->d->origin_tid = mh_writer_thread();
    c->d->connect_at = c->start;
    if ((c->d->armed & MH_OP_BIT(MH_OP_connect)) &&
        mh_decide(c->d, MH_OP_connect, &c->place, 0, &c->v))
        r = connect_faulted(c);
    else
        r = (int)mh_sys(SYS_connect, c->fd, c->addr, c->len);
    if (r == -EINPROGRESS)
        c->d->connecting = true;
    if (kind == MH_DESC_stream) {
        moved = mh_moved_ago(peer, c->start, &name);
        mh_event(connect, name, strlen(name), .conn = c->d->conn, .fd = c->fd, .peer = peer->id,
                 .side = MH_SIDE_client, .call = MH_CALL_connect, .nonblocking = c->d->nonblocking,
                 .err = -r, .wait_ns = mh_now() - c->start, .timeout_ns = limit(c->d),
                 .stack = c->place.stack, .task = (int64_t)c->place.task, .unit = c->place.unit,
                 .moved_ns = moved);
    }
    if (r < 0 && !c->watch && mh_errno_is_failure(-r))
        c->watch = record(c, NULL, 0, -r, 0);
    return r;
}

/* Is the connection of this socket established? Then connect() only says so. */
static bool established(const struct mh_desc *d, int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);

    return d && d->kind == MH_DESC_stream && !d->dead &&
           mh_sys(SYS_getpeername, fd, &at, &len) == 0;
}

MH_PUBLIC int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct connecting c = {.fd = fd, .addr = addr, .len = len};
    struct mh_desc *d;
    int r;

    if (!addr || !mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return mh_real.connect(fd, addr, len);
    mh_python_may_hand_over(false, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    c.start = mh_now();
    d = mh_fd_get(fd);
    if (addr->sa_family == AF_UNSPEC || (d && !d->connecting && established(d, fd)))
        r = (int)mh_sys(SYS_connect, fd, addr, len);
    else if ((c.d = d) && (d->connecting || d->dead == MH_DEAD_connect))
        r = connect_again(&c);
    else
        r = connect_new(&c);
    return (int)mh_finish(r, c.watch);
}
