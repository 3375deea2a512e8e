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
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

bool mh_open_takes_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

MH_PUBLIC int open(const char *path, int flags, ...)
{
    MH_OPEN_MODE(flags)
    MH_OPEN(open, AT_FDCWD, path, flags, mh_real.open(path, flags, mode));
}

MH_PUBLIC int openat(int dir, const char *path, int flags, ...)
{
    MH_OPEN_MODE(flags)
    MH_OPEN(openat, dir, path, flags, mh_real.openat(dir, path, flags, mode));
}

MH_PUBLIC int creat(const char *path, mode_t mode)
{
    MH_OPEN(creat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mh_real.creat(path, mode));
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

int mh_fcntl(enum mh_call call, int fd, int cmd, long arg, int (*real)(int, int, ...))
{
    return duplicate_refused(cmd, call) ? -1 : after_fcntl(fd, cmd, arg, real(fd, cmd, arg));
}

MH_PUBLIC int fcntl(int fd, int cmd, ...)
{
    MH_THIRD(cmd)
    return mh_fcntl(MH_CALL_fcntl, fd, cmd, arg, MH_REAL(fcntl));
}

MH_PUBLIC int ioctl(int fd, mh_ioctl_number request, ...)
{
    struct mh_desc *d;
    int r;

    MH_THIRD(request)
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
