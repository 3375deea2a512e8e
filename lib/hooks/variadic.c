/* SPDX-License-Identifier: Apache-2.0 */
/* The variadic calls: open and its kin, fcntl, ioctl, mremap's are by hand since C cannot pass an
 * argument list on. */
#include "hooks/variadic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/sys.h"
#include "fd/stream.h"
#include "hooks/bytes.h"
#include "hooks/files.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

bool mh_open_takes_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* What every spelling does; `real` is an expression that calls the real function. */
#define OPEN(call_name, dir, path, flags, real)                                                    \
    do {                                                                                           \
        int fd_;                                                                                   \
        if (!mh_gate_open(&mh_gate.file) || !mh_guest_enter())                                     \
            return (real);                                                                         \
        if (mh_open_before(MH_CALL_##call_name, dir, path, flags))                                 \
            return -1;                                                                             \
        errno = mh_thread.saved_errno;                                                             \
        fd_ = (real);                                                                              \
        return mh_open_after(MH_CALL_##call_name, dir, path, flags, fd_);                          \
    } while (0)

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if (mh_open_takes_mode(flags)) {                                                               \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

MH_PUBLIC int open(const char *path, int flags, ...)
{
    MODE(flags)
    OPEN(open, AT_FDCWD, path, flags, mh_real.open(path, flags, mode));
}

MH_PUBLIC int open64(const char *path, int flags, ...)
{
    MODE(flags)
    OPEN(open64, AT_FDCWD, path, flags, mh_real.open64(path, flags, mode));
}

MH_PUBLIC int openat(int dir, const char *path, int flags, ...)
{
    MODE(flags)
    OPEN(openat, dir, path, flags, mh_real.openat(dir, path, flags, mode));
}

MH_PUBLIC int openat64(int dir, const char *path, int flags, ...)
{
    MODE(flags)
    OPEN(openat64, dir, path, flags, mh_real.openat64(dir, path, flags, mode));
}

MH_PUBLIC int creat(const char *path, mode_t mode)
{
    OPEN(creat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mh_real.creat(path, mode));
}

MH_PUBLIC int creat64(const char *path, mode_t mode)
{
    OPEN(creat64, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mh_real.creat64(path, mode));
}

MH_PUBLIC int __open_2(const char *path, int flags);
MH_PUBLIC int __open_2(const char *path, int flags)
{
    OPEN(__open_2, AT_FDCWD, path, flags, mh_real.__open_2(path, flags));
}

MH_PUBLIC int __open64_2(const char *path, int flags);
MH_PUBLIC int __open64_2(const char *path, int flags)
{
    OPEN(__open64_2, AT_FDCWD, path, flags, mh_real.__open64_2(path, flags));
}

MH_PUBLIC int __openat_2(int dir, const char *path, int flags);
MH_PUBLIC int __openat_2(int dir, const char *path, int flags)
{
    OPEN(__openat_2, dir, path, flags, mh_real.__openat_2(dir, path, flags));
}

MH_PUBLIC int __openat64_2(int dir, const char *path, int flags);
MH_PUBLIC int __openat64_2(int dir, const char *path, int flags)
{
    OPEN(__openat64_2, dir, path, flags, mh_real.__openat64_2(dir, path, flags));
}

/* The third argument is an int or a pointer; as a long it passes unchanged on every ABI we build
 * for. */
#define THIRD(last)                                                                                \
    long arg;                                                                                      \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, last);                                                                      \
        arg = va_arg(list, long);                                                                  \
        va_end(list);                                                                              \
    }

/* How CPython duplicates a descriptor. */
MH_INLINE bool duplicate_refused(int cmd, enum mh_call call)
{
    return (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) && mh_limit_refuses(MH_OP_descriptor, call);
}

static int after_fcntl(int fd, int cmd, long arg, int r)
{
    struct mh_desc *d;

    if (r < 0 || (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC && cmd != F_SETFL) || !mh_gate_fd(fd))
        return r;
    d = mh_fd_get(fd);
    if (d && cmd == F_SETFL)
        d->nonblocking = arg & O_NONBLOCK;
    else if (d)
        mh_fd_share(fd, r);
    mh_guest_leave();
    return r;
}

MH_PUBLIC int fcntl(int fd, int cmd, ...)
{
    THIRD(cmd)
    if (duplicate_refused(cmd, MH_CALL_fcntl))
        return -1;
    return after_fcntl(fd, cmd, arg, MH_REAL(fcntl)(fd, cmd, arg));
}

MH_PUBLIC int fcntl64(int fd, int cmd, ...)
{
    THIRD(cmd)
    if (duplicate_refused(cmd, MH_CALL_fcntl64))
        return -1;
    return after_fcntl(fd, cmd, arg,
                       (mh_real.fcntl64 ? mh_real.fcntl64 : MH_REAL(fcntl))(fd, cmd, arg));
}

MH_PUBLIC int ioctl(int fd, unsigned long request, ...)
{
    struct mh_desc *d;
    int r;

    THIRD(request)
    r = MH_REAL(ioctl)(fd, request, arg);
    if (r < 0 || (request != FIONBIO && request != FIONREAD) || !arg || !mh_gate_fd(fd))
        return r;
    d = mh_fd_get(fd);
    if (d && request == FIONBIO) {
        d->nonblocking = *(int *)arg != 0;
    } else if (d && mh_stream_armed(d) && d->kind == MH_DESC_stream && mh_desc_lock(d)) {
        uint64_t seen;

        mh_stream_look(d, fd, mh_now());
        seen = mh_stream_released(d, mh_now());
        if (seen == MH_STREAM_END)
            seen = 0;
        if ((uint64_t) * (int *)arg > seen)
            *(int *)arg = (int)seen;
        mh_desc_unlock(d);
    }
    mh_guest_leave();
    return r;
}
