/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets but for their bytes and connect(): socket, listen, accept, options, shutdown. */
#include "hooks/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include "base/sys.h"
#include "event/write.h"
#include "fault/connection.h"
#include "fd/caller.h"
#include "fd/decide.h"
#include "fd/observe.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

void mh_socket_limits(struct mh_desc *d, int fd)
{
    const int names[2] = {SO_RCVTIMEO, SO_SNDTIMEO};
    unsigned ms = 0;
    socklen_t size = sizeof(ms);

    if (mh_sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size) == 0)
        d->user_timeout_ns = (int64_t)ms * 1000000;

    for (int i = 0; i < 2; i++) {
        struct timeval tv = {0, 0};
        socklen_t len = sizeof(tv);

        mh_sys(SYS_getsockopt, fd, SOL_SOCKET, names[i], &tv, &len);
        *(i ? &d->sndtimeo_ns : &d->rcvtimeo_ns) =
            (int64_t)tv.tv_sec * 1000000000 + tv.tv_usec * 1000;
    }
}

uint16_t mh_socket_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);

    memset(&at, 0, sizeof(at));
    if (mh_sys(SYS_getsockname, fd, &at, &len) < 0)
        return 0;
    return mh_peer_port((const struct sockaddr *)(const void *)&at, len);
}

void mh_socket_listens(int fd, int backlog)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    uint16_t port = mh_socket_port(fd);
    struct mh_desc *d = mh_fd_get(fd);

    if (!d || d->kind != MH_DESC_listener)
        d = mh_fd_new(fd, MH_DESC_listener);
    if (!d)
        return;
    d->side = MH_SIDE_server;
    d->peer = mh_peer_get(MH_SIDE_server, (struct sockaddr *)(void *)&any, sizeof(any), port);
    d->armed = mh_armed(MH_SIDE_server, d->peer, NULL);
    mh_socket_limits(d, fd);
    mh_event(listening, NULL, 0, .fd = fd, .port = port, .backlog = backlog);
}

MH_PUBLIC int listen(int fd, int backlog)
{
    int r = MH_REAL(listen)(fd, backlog);

    if (r < 0 || !mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return r;
    mh_python_may_hand_over(true, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    mh_socket_listens(fd, backlog);
    mh_guest_leave();
    return r;
}

/* The connection that accept() gave. */
static void accepted(int listener, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct mh_peer *peer = mh_peer_get(MH_SIDE_server, addr, len, mh_socket_port(listener));
    struct mh_desc *d = peer ? mh_fd_new(fd, MH_DESC_stream) : NULL;

    if (!d)
        return;
    mh_http_init(&d->http, mh_guest.control->digest_key, true);
    mh_desc_connect(d, MH_SIDE_server, peer);
    mh_event(connect, NULL, 0, .conn = d->conn, .fd = fd, .peer = peer->id, .side = MH_SIDE_server,
             .call = MH_CALL_accept4, .nonblocking = d->nonblocking, .timeout_ns = -2);
}

/* Faults on the listener: waits or fails. Returns 0 to accept, or a negative errno. */
static int accept_gate(struct mh_desc *d, int fd, int64_t *watch)
{
    int64_t start = mh_now();
    int64_t deadline = d->rcvtimeo_ns ? start + d->rcvtimeo_ns : MH_NEVER;

    for (;;) {
        struct pollfd p = {fd, POLLIN, 0};
        int64_t now = mh_now();
        bool free_;
        int w;

        if (!mh_desc_lock(d))
            return 0;
        mh_stream_look(d, fd, now);
        free_ = mh_stream_released(d, now) != 0;
        if (free_ && d->in.verdict.fault >= 0 &&
            (d->in.verdict.effects & MH_EFFECT_BIT(MH_EFFECT_error))) {
            const struct mh_verdict *v = &d->in.verdict;
            int err = v->error;

            *watch = mh_record(&(struct mh_story){.kind = MH_OP_accept,
                                                  .call = MH_CALL_accept4,
                                                  .fd = fd,
                                                  .d = d,
                                                  .result = -1,
                                                  .err = err,
                                                  .timeout_ns = -1,
                                                  .verdict = v,
                                                  .effect = MH_EFFECT_error});
            mh_stream_consumed(d, 0);
            mh_desc_unlock(d);
            return *watch ? -err : 0;
        }
        mh_desc_unlock(d);
        if (free_)
            return 0;
        if (d->nonblocking || now >= deadline)
            return -EAGAIN;
        w = mh_wait(&p, 1, deadline == MH_NEVER ? -1 : deadline - now, NULL, false);
        if (w < 0)
            return w;
    }
}

static int do_accept(enum mh_call call, int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct sockaddr_storage own;
    socklen_t own_len = sizeof(own);
    struct mh_desc *d = mh_fd_get(fd);
    int64_t watch = 0;
    int r;

    mh_python_may_hand_over(false, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    r = d ? mh_limit_fds(MH_OP_accept, call, &watch) : 0;
    if (!r && d && (d->armed & MH_OP_BIT(MH_OP_accept)))
        r = accept_gate(d, fd, &watch);
    if (!r) {
        memset(&own, 0, sizeof(own));
        r = (int)mh_sys(SYS_accept4, fd, &own, &own_len, flags);
        if (d && r >= 0 && (d->armed & MH_OP_BIT(MH_OP_accept)) && mh_desc_lock(d)) {
            mh_stream_consumed(d, 0);
            mh_desc_unlock(d);
        }
        if (r < 0 && mh_errno_is_failure(-r) && -r != EINVAL && -r != EFAULT)
            watch = mh_record(&(struct mh_story){.kind = MH_OP_accept,
                                                 .call = call,
                                                 .fd = fd,
                                                 .d = d,
                                                 .result = -1,
                                                 .err = -r,
                                                 .timeout_ns = -1});
    }
    if (r >= 0) {
        accepted(fd, r, (struct sockaddr *)(void *)&own, own_len);
        if (addr && len) {
            memcpy(addr, &own, own_len < *len ? own_len : *len);
            *len = own_len;
        }
    }
    return (int)mh_finish(r, watch);
}

MH_PUBLIC int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
    if (!mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return mh_real.accept(fd, addr, len);
    return do_accept(MH_CALL_accept, fd, addr, len, 0);
}

MH_PUBLIC int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
    if (!mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return mh_real.accept4(fd, addr, len, flags);
    return do_accept(MH_CALL_accept4, fd, addr, len, flags);
}

/* A non-blocking connect was asked how it ended. */
static void connect_ended(struct mh_desc *d, int fd, int err, int64_t *watch)
{
    struct mh_place place = d->asked;
    int64_t wait = mh_now() - d->connect_at;

    d->connecting = false;
    mh_event(connected, NULL, 0, .conn = d->conn, .err = err, .wait_ns = wait);
    mh_python_came(d->out.op);
    if (!err)
        return;
    *watch = d->dead ? d->out.op : 0; /* else it was only late */
    d->out.op = 0;
    if (!*watch && mh_errno_is_failure(err))
        *watch = mh_record(&(struct mh_story){.kind = MH_OP_connect,
                                              .call = MH_CALL_connect,
                                              .fd = fd,
                                              .d = d,
                                              .result = -1,
                                              .err = err,
                                              .wait_ns = wait,
                                              .timeout_ns = -2,
                                              .place = &place});
}

MH_PUBLIC int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    int64_t watch = 0;
    struct mh_desc *d;
    int r = 0;

    if (level != SOL_SOCKET || name != SO_ERROR || !value || !len || *len < sizeof(int) ||
        !mh_gate_fd(fd))
        return mh_real.getsockopt(fd, level, name, value, len);
    d = mh_fd_get(fd);
    if (!d || !mh_desc_lock(d)) {
        r = (int)mh_sys(SYS_getsockopt, fd, level, name, value, len);
        return (int)mh_finish(r, 0);
    }
    mh_hole_settle(d, fd, mh_now());
    if (d->armed & MH_OP_BIT(MH_OP_recv)) {
        mh_stream_look(d, fd, mh_now());
        mh_connection_strike(d, fd, mh_now());
    }
    if (d->connecting && d->out.release > mh_now()) {
        memset(value, 0, sizeof(int));
        *len = sizeof(int);
    } else {
        int err;

        r = (int)mh_sys(SYS_getsockopt, fd, level, name, value, len);
        if (d->dead) {
            err = mh_dead_error(d);
            memcpy(value, &err, sizeof(err));
        }
        memcpy(&err, value, sizeof(err));
        if (r == 0 && d->connecting) {
            struct pollfd p = {fd, POLLOUT, 0};
            struct timespec zero = {0, 0};

            if (d->dead || err || mh_sys(SYS_ppoll, &p, 1, &zero, 0, 8) == 1)
                connect_ended(d, fd, err, &watch);
        }
    }
    mh_desc_unlock(d);
    return (int)mh_finish(r, watch);
}

MH_PUBLIC int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    int r = MH_REAL(setsockopt)(fd, level, name, value, len);
    struct mh_desc *d;
    bool limit = level == SOL_SOCKET ? name == SO_RCVTIMEO || name == SO_SNDTIMEO
                                     : level == IPPROTO_TCP && name == TCP_USER_TIMEOUT;

    if (r < 0 || !limit || !mh_gate_fd(fd))
        return r;
    d = mh_fd_get(fd);
    if (d)
        mh_socket_limits(d, fd);
    mh_guest_leave();
    return r;
}

/* A FIN behind bytes that have vanished would tell the peer that it has the whole stream. */
static bool into_hole(struct mh_desc *d, int fd, int how)
{
    bool into = false;

    if (!mh_desc_lock(d))
        return false;
    if (mh_hole_settle(d, fd, mh_now()) && (d->hole.swallowed || how == SHUT_WR)) {
        into = true;
        if (how == SHUT_RDWR)
            mh_connection_kill(d, fd, 0, d->hole.op);
        else
            d->hole.swallowed++;
    }
    mh_desc_unlock(d);
    return into;
}

MH_PUBLIC int shutdown(int fd, int how)
{
    struct mh_desc *d;
    bool was;
    int r;

    if (!mh_gate_fd(fd))
        return MH_REAL(shutdown)(fd, how);
    d = mh_fd_get(fd);
    if (d && how != SHUT_RD && into_hole(d, fd, how))
        return (int)mh_finish(0, 0);
    was = d && d->read_shut;
    if (d && how != SHUT_WR) /* before the kernel wakes a reader that looks at it */
        d->read_shut = true;
    r = (int)mh_sys(SYS_shutdown, fd, how);
    if (r < 0 && d)
        d->read_shut = was;
    return (int)mh_finish(r, 0);
}

/* No descriptor, or no memory for one. That a family or a protocol is not there is a probe. */
static int64_t refused_socket(int err)
{
    struct mh_place place;

    if (err != EMFILE && err != ENFILE && err != ENOBUFS && err != ENOMEM)
        return 0;
    mh_python_place(&place);
    return mh_record(&(struct mh_story){.kind = MH_OP_socket,
                                        .call = MH_CALL_socket,
                                        .fd = -1,
                                        .result = -1,
                                        .err = err,
                                        .timeout_ns = -1,
                                        .place = &place});
}

MH_PUBLIC int socket(int family, int type, int protocol)
{
    struct mh_place place;
    struct mh_verdict v;
    int64_t op = 0;
    int fd;

    if (!mh_gate_open(&mh_gate.fd) || !mh_guest_enter())
        return mh_real.socket(family, type, protocol);
    if (mh_guest.rules->ops & MH_OP_BIT(MH_OP_socket)) {
        mh_python_place(&place);
        if (mh_decide_path(MH_OP_socket, NULL, NULL, &place, &v) &&
            (v.effects & MH_EFFECT_BIT(MH_EFFECT_error)))
            op = mh_record(&(struct mh_story){.kind = MH_OP_socket,
                                              .call = MH_CALL_socket,
                                              .fd = -1,
                                              .result = -1,
                                              .err = v.error,
                                              .timeout_ns = -1,
                                              .verdict = &v,
                                              .effect = MH_EFFECT_error,
                                              .place = &place});
    }
    if (op)
        return (int)mh_finish(-v.error, op);
    if (mh_limit_fds(MH_OP_socket, MH_CALL_socket, &op))
        return (int)mh_finish(-EMFILE, op);
    fd = mh_real.socket(family, type, protocol);
    if (fd < 0) {
        int err = errno;

        return (int)mh_finish(-err, refused_socket(err));
    }
    mh_fd_forget(fd);
    mh_guest_leave_errno(0);
    return fd;
}

/* Both ends are in this process or its children: nothing of a network, so not observed. */
MH_PUBLIC int socketpair(int family, int type, int protocol, int fds[2])
{
    int r;

    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_socketpair))
        return -1;
    r = MH_REAL(socketpair)(family, type, protocol, fds);
    if (r == 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_fd_forget(fds[0]);
        mh_fd_forget(fds[1]);
        mh_guest_leave();
    }
    return r;
}
