/* SPDX-License-Identifier: Apache-2.0 */
/* Files but for their bytes: flush, cut, rename, link, make a directory, remove. */
#include "hooks/paths.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/macros.h"
#include "hooks/bytes.h"
#include "hooks/disk.h"
#include "hooks/files.h"
#include "hooks/gate.h"

#include "base/banned.h"

/* Calls on an open file: fsync, ftruncate. Returns true when *ret is the answer. */
MH_INLINE bool fd_fault(enum mh_op_kind kind, enum mh_call call, int fd, int *ret)
{
    struct mh_desc *d;
    int64_t watch = 0;
    int err = 0;

    if (!mh_gate_fd(fd))
        return false;
    d = mh_fd_get(fd);
    if (d && d->path && (d->armed & MH_OP_BIT(kind)))
        err = mh_path_fault(kind, call, fd, d, d->path, &watch);
    *ret = (int)mh_finish(MH_MIN(err, 0), watch);
    return err != 0;
}

MH_PUBLIC int fsync(int fd)
{
    int ret;

    return fd_fault(MH_OP_fsync, MH_CALL_fsync, fd, &ret) ? ret : mh_real.fsync(fd);
}

MH_PUBLIC int fdatasync(int fd)
{
    int ret;

    return fd_fault(MH_OP_fsync, MH_CALL_fdatasync, fd, &ret) ? ret : mh_real.fdatasync(fd);
}

/* What is cut off is free again. */
static int cut(int fd, off_t length, int (*real)(int, off_t))
{
    struct mh_desc *d;
    int64_t before = -1;
    int r;

    if (mh_gate_fd(fd)) {
        d = mh_fd_get(fd);
        before = d && d->path ? mh_disk_size(fd, d->path) : -1;
        mh_guest_leave();
    }
    r = real(fd, length);
    if (r == 0 && before > length && mh_gate_fd(fd)) {
        mh_disk_changed(mh_fd_get(fd)->path, length - before);
        mh_guest_leave();
    }
    return r;
}

int mh_ftruncate(enum mh_call call, int fd, off_t length, int (*real)(int, off_t))
{
    int ret;

    return fd_fault(MH_OP_ftruncate, call, fd, &ret) ? ret : cut(fd, length, real);
}

MH_PUBLIC int ftruncate(int fd, off_t length)
{
    return mh_ftruncate(MH_CALL_ftruncate, fd, length, mh_real.ftruncate);
}

/* Calls on a name: rename, unlink. */
MH_INLINE bool name_fault(enum mh_op_kind kind, enum mh_call call, int dir, const char *path,
                          int *ret)
{
    int64_t watch = 0;
    int err = 0;
    MH_BUF(full, MH_PATH_BYTES);

    if (!path || !mh_gate_open(&mh_gate.file) || !mh_guest_enter())
        return false;
    if (mh_guest.rules->ops & MH_OP_BIT(kind)) {
        mh_path_absolute(dir, path, &full);
        err = mh_path_fault(kind, call, -1, NULL, full.data, &watch);
    }
    *ret = (int)mh_finish(err, watch);
    return err < 0;
}

MH_PUBLIC int rename(const char *from, const char *to)
{
    int ret;

    return name_fault(MH_OP_rename, MH_CALL_rename, AT_FDCWD, to, &ret) ? ret
                                                                        : mh_real.rename(from, to);
}

MH_PUBLIC int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int ret;

    return name_fault(MH_OP_rename, MH_CALL_renameat, to_dir, to, &ret)
               ? ret
               : mh_real.renameat(from_dir, from, to_dir, to);
}

MH_PUBLIC int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    int ret;

    return name_fault(MH_OP_rename, MH_CALL_renameat2, to_dir, to, &ret)
               ? ret
               : mh_real.renameat2(from_dir, from, to_dir, to, flags);
}

MH_PUBLIC int mkdir(const char *path, mode_t mode)
{
    int ret;

    return name_fault(MH_OP_mkdir, MH_CALL_mkdir, AT_FDCWD, path, &ret) ? ret
                                                                        : mh_real.mkdir(path, mode);
}

MH_PUBLIC int mkdirat(int dir, const char *path, mode_t mode)
{
    int ret;

    return name_fault(MH_OP_mkdir, MH_CALL_mkdirat, dir, path, &ret)
               ? ret
               : mh_real.mkdirat(dir, path, mode);
}

MH_PUBLIC int link(const char *from, const char *to)
{
    int ret;

    return name_fault(MH_OP_link, MH_CALL_link, AT_FDCWD, to, &ret) ? ret : mh_real.link(from, to);
}

MH_PUBLIC int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    int ret;

    return name_fault(MH_OP_link, MH_CALL_linkat, to_dir, to, &ret)
               ? ret
               : mh_real.linkat(from_dir, from, to_dir, to, flags);
}

MH_PUBLIC int symlink(const char *target, const char *path)
{
    int ret;

    return name_fault(MH_OP_link, MH_CALL_symlink, AT_FDCWD, path, &ret)
               ? ret
               : mh_real.symlink(target, path);
}

MH_PUBLIC int symlinkat(const char *target, int dir, const char *path)
{
    int ret;

    return name_fault(MH_OP_link, MH_CALL_symlinkat, dir, path, &ret)
               ? ret
               : mh_real.symlinkat(target, dir, path);
}

/* What is removed is free again. */
static int removed(int dir, const char *path, int flags)
{
    int64_t size = -1;
    int r;
    MH_BUF(full, MH_PATH_BYTES);

    if (path && mh_gate_open(&mh_gate.file) && (mh_guest.rules->ops & MH_OP_BIT(MH_OP_write)) &&
        mh_guest_enter()) {
        mh_path_absolute(dir, path, &full);
        size = mh_disk_size_named(dir, path, full.data);
        mh_guest_leave();
    }
    r = dir == AT_FDCWD && !flags ? mh_real.unlink(path) : mh_real.unlinkat(dir, path, flags);
    if (r == 0 && size > 0)
        mh_disk_changed(full.data, -size);
    return r;
}

MH_PUBLIC int unlink(const char *path)
{
    int ret;

    return name_fault(MH_OP_unlink, MH_CALL_unlink, AT_FDCWD, path, &ret)
               ? ret
               : removed(AT_FDCWD, path, 0);
}

MH_PUBLIC int unlinkat(int dir, const char *path, int flags)
{
    int ret;

    return name_fault(MH_OP_unlink, MH_CALL_unlinkat, dir, path, &ret) ? ret
                                                                       : removed(dir, path, flags);
}

/* As ftruncate() does: what is cut off is free again. */
static int shorten(const char *path, off_t length, int (*real)(const char *, off_t))
{
    int64_t before = -1;
    int r;
    MH_BUF(full, MH_PATH_BYTES);

    if (path && mh_gate_open(&mh_gate.file) && (mh_guest.rules->ops & MH_OP_BIT(MH_OP_write)) &&
        mh_guest_enter()) {
        mh_path_absolute(AT_FDCWD, path, &full);
        before = mh_disk_size_named(AT_FDCWD, path, full.data);
        mh_guest_leave();
    }
    r = real(path, length);
    if (r == 0 && before > length)
        mh_disk_changed(full.data, length - before);
    return r;
}

int mh_truncate(enum mh_call call, const char *path, off_t length, int (*real)(const char *, off_t))
{
    int ret;

    return name_fault(MH_OP_ftruncate, call, AT_FDCWD, path, &ret) ? ret
                                                                   : shorten(path, length, real);
}

MH_PUBLIC int truncate(const char *path, off_t length)
{
    return mh_truncate(MH_CALL_truncate, path, length, MH_REAL(truncate));
}
