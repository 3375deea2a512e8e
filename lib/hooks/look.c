/* SPDX-License-Identifier: Apache-2.0 */
/* What is there: stat, access, readlink and their kin. That a file is not there is an answer, which
 * imports and os.path.exists() ask for all the time: what really fails is not recorded. */
#include "hooks/look.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "hooks/bytes.h"
#include "hooks/files.h"

#include "base/banned.h"

bool mh_look_fails(enum mh_call call, int dir, const char *path)
{
    struct mh_desc *d;
    int64_t watch = 0;
    int err = 0;
    MH_BUF(full, MH_PATH_BYTES);

    if (path && *path) {
        if (mh_guest.rules->ops & MH_OP_BIT(MH_OP_stat)) {
            mh_path_absolute(dir, path, &full);
            if (mh_armed(MH_SIDE_any, NULL, full.data) & MH_OP_BIT(MH_OP_stat))
                err = mh_path_fault(MH_OP_stat, call, -1, NULL, full.data, &watch);
        }
    } else {
        d = mh_fd_get(dir);
        if (d && d->path && (d->armed & MH_OP_BIT(MH_OP_fstat)))
            err = mh_path_fault(MH_OP_fstat, call, dir, d, d->path, &watch);
    }
    return mh_finish(err, watch) < 0;
}

long mh_look_result(long r)
{
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

MH_PUBLIC int stat(const char *restrict path, struct stat *restrict ret)
{
    MH_LOOK(stat, AT_FDCWD, path, (path, ret), SYS_newfstatat, AT_FDCWD, path, ret, 0);
}

MH_PUBLIC int lstat(const char *restrict path, struct stat *restrict ret)
{
    MH_LOOK(lstat, AT_FDCWD, path, (path, ret), SYS_newfstatat, AT_FDCWD, path, ret,
            AT_SYMLINK_NOFOLLOW);
}

MH_PUBLIC int fstat(int fd, struct stat *ret)
{
    MH_LOOK(fstat, fd, NULL, (fd, ret), SYS_fstat, fd, ret);
}

MH_PUBLIC int fstatat(int dir, const char *restrict path, struct stat *restrict ret, int flags)
{
    MH_LOOK(fstatat, dir, path, (dir, path, ret, flags), SYS_newfstatat, dir, path, ret, flags);
}

MH_PUBLIC int statx(int dir, const char *restrict path, int flags, unsigned mask,
                    struct statx *restrict ret)
{
    MH_LOOK(statx, dir, path, (dir, path, flags, mask, ret), SYS_statx, dir, path, flags, mask,
            ret);
}

MH_PUBLIC int access(const char *path, int mode)
{
    MH_LOOK(access, AT_FDCWD, path, (path, mode), SYS_faccessat, AT_FDCWD, path, mode);
}

MH_PUBLIC ssize_t readlink(const char *restrict path, char *restrict buf, size_t n)
{
    MH_LOOK(readlink, AT_FDCWD, path, (path, buf, n), SYS_readlinkat, AT_FDCWD, path, buf, n);
}

MH_PUBLIC ssize_t readlinkat(int dir, const char *restrict path, char *restrict buf, size_t n)
{
    MH_LOOK(readlinkat, dir, path, (dir, path, buf, n), SYS_readlinkat, dir, path, buf, n);
}

/* These do more than one system call. */
MH_PUBLIC int faccessat(int dir, const char *path, int mode, int flags)
{
    return mh_look_fault(MH_CALL_faccessat, dir, path) ? -1
                                                       : MH_REAL(faccessat)(dir, path, mode, flags);
}

MH_PUBLIC int eaccess(const char *path, int mode)
{
    return mh_look_fault(MH_CALL_eaccess, AT_FDCWD, path) ? -1 : MH_REAL(eaccess)(path, mode);
}

MH_PUBLIC int euidaccess(const char *path, int mode)
{
    return mh_look_fault(MH_CALL_euidaccess, AT_FDCWD, path) ? -1 : MH_REAL(euidaccess)(path, mode);
}
