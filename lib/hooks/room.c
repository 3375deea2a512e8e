/* SPDX-License-Identifier: Apache-2.0 */
/* The room on a disk: reserving some, asking for what is left. A budget of disk space holds for
 * both: what could not be written cannot be reserved either, and is not said to be free. */
#include "hooks/room.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"
#include "hooks/bytes.h"
#include "hooks/disk.h"
#include "hooks/files.h"
#include "hooks/gate.h"

#include "base/banned.h"

/* Only what makes the file larger comes out of the budget, as with writing. Returns 0, or a
 * negative errno: nothing was reserved then. */
static int reserve_within(enum mh_call call, int fd, const struct mh_desc *d, int mode, int64_t at,
                          int64_t n, int64_t *watch)
{
    int64_t before = mode || !d->path || at < 0 || n <= 0 ? -1 : mh_disk_size(fd, d->path), after;
    struct mh_verdict v;
    int r;

    if (before >= 0 && mh_disk_room(d, fd, at, (uint64_t)n, before, &v) < (uint64_t)n) {
        *watch = mh_record(&(struct mh_story){.kind = MH_OP_allocate,
                                              .call = call,
                                              .fd = fd,
                                              .d = d,
                                              .asked = (uint64_t)n,
                                              .result = -1,
                                              .err = ENOSPC,
                                              .timeout_ns = -1,
                                              .verdict = &v,
                                              .effect = MH_EFFECT_disk});
        if (*watch)
            return -ENOSPC;
    }
    r = (int)mh_sys(SYS_fallocate, fd, mode, at, n);
    /* EOPNOTSUPP and ENOSYS only answer whether it can be done here. */
    if (mh_errno_is_failure(-r) && r != -EOPNOTSUPP && r != -ENOSYS)
        *watch = mh_record(&(struct mh_story){.kind = MH_OP_allocate,
                                              .call = call,
                                              .fd = fd,
                                              .d = d,
                                              .asked = (uint64_t)n,
                                              .result = -1,
                                              .err = -r,
                                              .timeout_ns = -1});
    after = r || before < 0 ? before : mh_disk_size(fd, d->path);
    mh_disk_changed(d->path, after - before);
    return r;
}

/* The answer of an observed file in *ret: 0 or a negative errno. False: not observed. */
static bool allocate(enum mh_call call, int fd, int mode, int64_t at, int64_t n, int *ret,
                     int64_t *watch)
{
    struct mh_desc *d;

    *watch = 0;
    if (!mh_gate_fd(fd))
        return false;
    d = mh_fd_get(fd);
    if (!d || (d->kind != MH_DESC_file && d->kind != MH_DESC_log)) {
        mh_guest_leave();
        return false;
    }
    *ret = d->path && d->armed & MH_OP_BIT(MH_OP_allocate)
               ? mh_path_fault(MH_OP_allocate, call, fd, d, d->path, watch)
               : 0;
    if (!*ret)
        *ret = reserve_within(call, fd, d, mode, at, n, watch);
    return true;
}

int mh_fallocate(enum mh_call call, int fd, int mode, off_t at, off_t n,
                 int (*real)(int, int, off_t, off_t))
{
    int64_t watch;
    int r;

    return allocate(call, fd, mode, at, n, &r, &watch) ? (int)mh_finish(r, watch)
                                                       : real(fd, mode, at, n);
}

MH_PUBLIC int fallocate(int fd, int mode, off_t at, off_t n)
{
    return mh_fallocate(MH_CALL_fallocate, fd, mode, at, n, MH_REAL(fallocate));
}

/* Tells by its result. Where the file system cannot do it, libc writes zeros itself. */
static int posix_result(int r, int64_t watch)
{
    int saved = mh_thread.saved_errno;

    mh_finish(r, watch);
    errno = saved;
    return -r;
}

int mh_posix_fallocate(enum mh_call call, int fd, off_t at, off_t n, int (*real)(int, off_t, off_t))
{
    int64_t watch;
    int r;

    if (!allocate(call, fd, 0, at, n, &r, &watch))
        return real(fd, at, n);
    if (r != -EOPNOTSUPP)
        return posix_result(r, watch);
    mh_guest_leave();
    return real(fd, at, n);
}

MH_PUBLIC int posix_fallocate(int fd, off_t at, off_t n)
{
    return mh_posix_fallocate(MH_CALL_posix_fallocate, fd, at, n, MH_REAL(posix_fallocate));
}

/* Where a question is about: a path, or (NULL) an open file. */
static void place_of(int fd, const char *path, struct mh_buf *full)
{
    if (path) {
        mh_path_absolute(AT_FDCWD, path, full);
        return;
    }
    mh_path_absolute(fd, "", full);
    if (full->len > 1)
        full->data[--full->len] = '\0'; /* it is no directory that something is below of */
}

bool mh_room_fault(enum mh_call call, int fd, const char *path, int *ret)
{
    int64_t watch = 0;
    int err = 0;
    MH_BUF(full, MH_PATH_BYTES);

    if (!mh_gate_open(&mh_gate.file) || !(mh_guest.rules->ops & MH_OP_BIT(MH_OP_statvfs)) ||
        !mh_guest_enter())
        return false;
    place_of(fd, path, &full);
    err = mh_path_fault(MH_OP_statvfs, call, fd, NULL, full.data, &watch);
    *ret = (int)mh_finish(err, watch);
    return err < 0;
}

uint64_t mh_room_left(int fd, const char *path, uint64_t block)
{
    uint64_t bytes = UINT64_MAX;
    bool concerned;
    MH_BUF(full, MH_PATH_BYTES);

    if (!block || !mh_gate_open(&mh_gate.file) || !(mh_guest.rules->ops & MH_OP_BIT(MH_OP_write)) ||
        !mh_guest_enter())
        return UINT64_MAX;
    place_of(fd, path, &full);
    concerned = mh_disk_left(full.data, &bytes);
    if (!concerned) { /* of a directory it is what is below that counts */
        mh_buf_add(&full, "/_");
        concerned = mh_disk_left(full.data, &bytes);
    }
    if (concerned) {
        static _Atomic int said;

        if (!said) {
            said = 1;
            mh_note(MH_NOTE_room, (int64_t)bytes, false,
                    "where a disk budget holds, no more room is said to be free than it leaves");
        }
    }
    mh_guest_leave();
    return bytes == UINT64_MAX ? bytes : bytes / block;
}

MH_PUBLIC int statvfs(const char *restrict path, struct statvfs *restrict ret)
{
    MH_ROOM_ASK(statvfs, -1, path, ret, ret->f_frsize, MH_REAL(statvfs)(path, ret));
}

MH_PUBLIC int fstatvfs(int fd, struct statvfs *ret)
{
    MH_ROOM_ASK(fstatvfs, fd, NULL, ret, ret->f_frsize, MH_REAL(fstatvfs)(fd, ret));
}

MH_PUBLIC int statfs(const char *path, struct statfs *ret)
{
    MH_ROOM_ASK(statfs, -1, path, ret, ret->f_bsize, MH_REAL(statfs)(path, ret));
}

MH_PUBLIC int fstatfs(int fd, struct statfs *ret)
{
    MH_ROOM_ASK(fstatfs, fd, NULL, ret, ret->f_bsize, MH_REAL(fstatfs)(fd, ret));
}
