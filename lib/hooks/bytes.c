/* SPDX-License-Identifier: Apache-2.0 */
/* Exports that move bytes on a descriptor: each spelling becomes one message or one vector, and
 * what the descriptor is decides where it goes. */
#include "hooks/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>

#include "fd/observe.h"
#include "hooks/gate.h"

#include "base/banned.h"

static bool is_socket(int fd)
{
    return mh_fd_kind[fd] == MH_DESC_stream || mh_fd_kind[fd] == MH_DESC_datagram ||
           mh_fd_kind[fd] == MH_DESC_listener;
}

ssize_t mh_receive(enum mh_call call, int fd, void *buf, size_t n, int flags)
{
    struct iovec iov = {buf, n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    return mh_recv(call, fd, &msg, flags);
}

ssize_t mh_receive_from(enum mh_call call, int fd, void *buf, size_t n, int flags,
                        struct sockaddr *addr, socklen_t *len)
{
    struct iovec iov = {buf, n};
    struct msghdr msg = {
        .msg_name = addr, .msg_namelen = addr && len ? *len : 0, .msg_iov = &iov, .msg_iovlen = 1};
    ssize_t got = mh_recv(call, fd, &msg, flags);

    if (got >= 0 && addr && len)
        *len = msg.msg_namelen;
    return got;
}

static __attribute__((noinline)) ssize_t slow_recv(int fd, void *buf, size_t n, int flags)
{
    if (!mh_gate_fd(fd))
        return mh_real.recv(fd, buf, n, flags);
    return mh_receive(MH_CALL_recv, fd, buf, n, flags);
}

MH_PUBLIC ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    return MH_LIKELY(mh_gate_idle(fd)) ? mh_real.recv(fd, buf, n, flags)
                                       : slow_recv(fd, buf, n, flags);
}

MH_PUBLIC ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags,
                           struct sockaddr *restrict addr, socklen_t *restrict len)
{
    if (!mh_gate_fd(fd))
        return mh_real.recvfrom(fd, buf, n, flags, addr, len);
    return mh_receive_from(MH_CALL_recvfrom, fd, buf, n, flags, addr, len);
}

MH_PUBLIC ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    if (!mh_gate_fd(fd))
        return mh_real.recvmsg(fd, msg, flags);
    return mh_recv(MH_CALL_recvmsg, fd, msg, flags);
}

/* One message is a legal answer whatever the caller asked for; more would need a verdict each. */
MH_PUBLIC int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, mh_mmsg_flags flags,
                       struct timespec *timeout)
{
    ssize_t got;

    if (!n || !mh_gate_fd(fd))
        return mh_real.recvmmsg(fd, msgs, n, flags, timeout);
    got = mh_recv(MH_CALL_recvmmsg, fd, &msgs[0].msg_hdr, (int)flags & ~MSG_WAITFORONE);
    if (got < 0)
        return -1;
    msgs[0].msg_len = (unsigned)got;
    return 1;
}

static __attribute__((noinline)) ssize_t slow_send(int fd, const void *buf, size_t n, int flags)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (!mh_gate_fd(fd))
        return mh_real.send(fd, buf, n, flags);
    return mh_send(MH_CALL_send, fd, &msg, flags);
}

MH_PUBLIC ssize_t send(int fd, const void *buf, size_t n, int flags)
{
    return MH_LIKELY(mh_gate_idle(fd)) ? mh_real.send(fd, buf, n, flags)
                                       : slow_send(fd, buf, n, flags);
}

/* A socket that no connect() has named a peer for is not observed; but logs may go this way. */
static ssize_t told(int fd, const struct msghdr *msg, ssize_t sent)
{
    int saved = errno;

    if (sent > 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_seen_datagram(fd, msg->msg_name, msg->msg_namelen, msg->msg_iov, msg->msg_iovlen,
                         (size_t)sent);
        mh_guest_leave();
    }
    errno = saved;
    return sent;
}

MH_PUBLIC ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                         socklen_t len)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};
    struct msghdr msg = {
        .msg_name = (void *)(uintptr_t)addr, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1};

    if (!mh_gate_fd(fd))
        return MH_LIKELY(!addr) ? mh_real.sendto(fd, buf, n, flags, addr, len)
                                : told(fd, &msg, mh_real.sendto(fd, buf, n, flags, addr, len));
    return mh_send(MH_CALL_sendto, fd, &msg, flags);
}

MH_PUBLIC ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    if (!mh_gate_fd(fd))
        return !msg || MH_LIKELY(!msg->msg_name) ? mh_real.sendmsg(fd, msg, flags)
                                                 : told(fd, msg, mh_real.sendmsg(fd, msg, flags));
    return mh_send(MH_CALL_sendmsg, fd, msg, flags);
}

MH_PUBLIC int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, mh_mmsg_flags flags)
{
    ssize_t sent;

    if (!n || !mh_gate_fd(fd))
        return mh_real.sendmmsg(fd, msgs, n, flags);
    sent = mh_send(MH_CALL_sendmmsg, fd, &msgs[0].msg_hdr, (int)flags);
    if (sent < 0)
        return -1;
    msgs[0].msg_len = (unsigned)sent;
    return 1;
}

ssize_t mh_read_any(enum mh_call call, int fd, const struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};

    return is_socket(fd) ? mh_recv(call, fd, &msg, 0) : mh_file_read(call, fd, iov, n, -1);
}

static __attribute__((noinline)) ssize_t slow_read(int fd, void *buf, size_t n)
{
    struct iovec iov = {buf, n};

    if (!mh_gate_fd(fd))
        return mh_real.read(fd, buf, n);
    return mh_read_any(MH_CALL_read, fd, &iov, 1);
}

MH_PUBLIC ssize_t read(int fd, void *buf, size_t n)
{
    return MH_LIKELY(mh_gate_idle(fd)) ? mh_real.read(fd, buf, n) : slow_read(fd, buf, n);
}

MH_PUBLIC ssize_t readv(int fd, const struct iovec *iov, int n)
{
    if (n <= 0 || !mh_gate_fd(fd))
        return mh_real.readv(fd, iov, n);
    return mh_read_any(MH_CALL_readv, fd, iov, n);
}

MH_PUBLIC ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    struct iovec iov = {buf, n};

    if (at < 0 || !mh_gate_fd(fd))
        return mh_real.pread(fd, buf, n, at);
    return mh_file_read(MH_CALL_pread, fd, &iov, 1, at);
}

static ssize_t write_any(enum mh_call call, int fd, const struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};

    return is_socket(fd) ? mh_send(call, fd, &msg, 0) : mh_file_write(call, fd, iov, n, -1);
}

static __attribute__((noinline)) ssize_t slow_write(int fd, const void *buf, size_t n)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};

    if (!mh_gate_fd(fd))
        return mh_real.write(fd, buf, n);
    return write_any(MH_CALL_write, fd, &iov, 1);
}

MH_PUBLIC ssize_t write(int fd, const void *buf, size_t n)
{
    return MH_LIKELY(mh_gate_idle(fd)) ? mh_real.write(fd, buf, n) : slow_write(fd, buf, n);
}

MH_PUBLIC ssize_t writev(int fd, const struct iovec *iov, int n)
{
    if (n <= 0 || !mh_gate_fd(fd))
        return mh_real.writev(fd, iov, n);
    return write_any(MH_CALL_writev, fd, iov, n);
}

MH_PUBLIC ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};

    if (at < 0 || !mh_gate_fd(fd))
        return mh_real.pwrite(fd, buf, n, at);
    return mh_file_write(MH_CALL_pwrite, fd, &iov, 1, at);
}

/* Vectors at an offset. Flags ask for what only the kernel can do (not to wait, to write through):
 * such calls pass. An offset of -1 is where the descriptor stands, for those that take flags. */
MH_PUBLIC ssize_t preadv(int fd, const struct iovec *iov, int n, off_t at)
{
    if (n <= 0 || at < 0 || !mh_gate_fd(fd))
        return mh_real.preadv(fd, iov, n, at);
    return mh_file_read(MH_CALL_preadv, fd, iov, n, at);
}

MH_PUBLIC ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
    if (n <= 0 || flags || at < -1 || !mh_gate_fd(fd))
        return mh_real.preadv2(fd, iov, n, at, flags);
    return mh_file_read(MH_CALL_preadv2, fd, iov, n, at);
}

MH_PUBLIC ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    if (n <= 0 || at < 0 || !mh_gate_fd(fd))
        return mh_real.pwritev(fd, iov, n, at);
    return mh_file_write(MH_CALL_pwritev, fd, iov, n, at);
}

MH_PUBLIC ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
    if (n <= 0 || flags || at < -1 || !mh_gate_fd(fd))
        return mh_real.pwritev2(fd, iov, n, at, flags);
    return mh_file_write(MH_CALL_pwritev2, fd, iov, n, at);
}

/* Zero-copy to an observed socket goes as ordinary writes: EINVAL is what a kernel without support
 * answers, and every caller of sendfile() has that path. Only when a fault could apply. */
bool mh_sendfile_refused(int to)
{
    struct mh_desc *d;
    bool refuse;

    if (!mh_gate_fd(to))
        return false;
    d = mh_fd_get(to);
    refuse = d && ((d->armed & (MH_OP_BIT(MH_OP_send) | MH_OP_BIT(MH_OP_write))) || d->dead ||
                   d->side == MH_SIDE_server);
    mh_guest_leave_errno(refuse ? EINVAL : 0);
    return refuse;
}

MH_PUBLIC ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    return mh_sendfile_refused(to) ? -1 : mh_real.sendfile(to, from, at, n);
}

/* The same of copies inside of the kernel, for which the reading side counts, too. */
static bool copy_refused(int from, int to)
{
    struct mh_desc *d;
    bool refuse;

    if (mh_sendfile_refused(to))
        return true;
    if (!mh_gate_fd(from))
        return false;
    d = mh_fd_get(from);
    refuse = d && ((d->armed & (MH_OP_BIT(MH_OP_recv) | MH_OP_BIT(MH_OP_read))) || d->dead);
    mh_guest_leave_errno(refuse ? EINVAL : 0);
    return refuse;
}

MH_PUBLIC ssize_t splice(int from, off_t *from_at, int to, off_t *to_at, size_t n, unsigned flags)
{
    return copy_refused(from, to) ? -1 : MH_REAL(splice)(from, from_at, to, to_at, n, flags);
}

MH_PUBLIC ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t n,
                                  unsigned flags)
{
    return copy_refused(from, to) ? -1
                                  : MH_REAL(copy_file_range)(from, from_at, to, to_at, n, flags);
}
