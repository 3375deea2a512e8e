/* SPDX-License-Identifier: Apache-2.0 */
/* Lost writes; see lost.h. What has to be one step for other threads and processes is one system
 * call: the position moves by lseek(SEEK_CUR), the file grows by fallocate(), which never makes it
 * smaller, and what is appended is as many zeros, by the same call that would append. */
#include "fault/lost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

enum { ZEROS = 4096, MOST = 0x7ffff000, TRIES = 16 }; /* MOST: what one call can write */

static const char zeros[ZEROS] __attribute__((aligned(ZEROS)));

/* No disk is behind the kernel's own files, and a zero would mean something there. */
static bool on_a_disk(int fd)
{
    static const long others[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,   CGROUP_SUPER_MAGIC,
                                  CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
                                  SECURITYFS_MAGIC};
    struct statfs fs;
    struct stat st;

    if (mh_sys(SYS_fstat, fd, &st) || !S_ISREG(st.st_mode) || mh_sys(SYS_fstatfs, fd, &fs))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if ((long)fs.f_type == others[i])
            return false;
    return true;
}

/* Where the file system cannot reserve (NFS before 4.2, 9p), the last byte of the room is written,
 * a zero: only another write of that very byte at this very moment could get lost with it. */
static bool lengthen(const struct mh_lost *l)
{
    int64_t end = l->at + (int64_t)l->n;
    struct stat st;

    return !mh_sys(SYS_fstat, l->fd, &st) &&
           (st.st_size >= end || mh_sys(SYS_pwrite64, l->fd, zeros, 1, end - 1) == 1);
}

static bool make_room(const struct mh_lost *l)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    long r = -EINTR;

    for (int i = 0; i < TRIES && r == -EINTR; i++)
        r = mh_sys(SYS_fallocate, l->fd, 0, l->at, l->n);
    if (r == -EOPNOTSUPP || r == -ENOSYS)
        r = lengthen(l) ? 0 : r;
    if (r)
        return false;
    mh_sys(SYS_utimensat, l->fd, NULL, times, 0); /* only the owner may; then it stays as it is */
    return true;
}

bool mh_lost_begin(struct mh_lost *l)
{
    long flags = mh_sys(SYS_fcntl, l->fd, F_GETFL, 0), stands;

    l->n = MH_MIN(l->n, (size_t)MOST);
    if (!l->n || flags < 0 || (flags & O_ACCMODE) == O_RDONLY || !on_a_disk(l->fd))
        return false;
    l->appends = (flags & O_APPEND) != 0; /* pwrite() appends then, too */
    if (l->appends)
        return true;
    if (l->at >= 0)
        return make_room(l);
    stands = mh_sys(SYS_lseek, l->fd, l->n, SEEK_CUR);
    if (stands < 0)
        return false;
    l->at = stands - (int64_t)l->n;
    if (make_room(l))
        return true;
    mh_sys(SYS_lseek, l->fd, -(int64_t)l->n, SEEK_CUR);
    l->at = -1;
    return false;
}

/* Pages that nobody has touched cost no memory. Without them it is a short write. */
static ssize_t append(const struct mh_lost *l)
{
    const void *from = zeros;
    size_t n = MH_MIN(l->n, sizeof(zeros));
    long p = 0;
    ssize_t ret;

    if (l->n > n) {
        p = mh_sys(SYS_mmap, 0, l->n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0);
        if (p < 0 && p >= -4095)
            p = 0;
        if (p) {
            from = (const void *)p;
            n = l->n;
        }
    }
    ret =
        l->at < 0 ? mh_sys(SYS_write, l->fd, from, n) : mh_sys(SYS_pwrite64, l->fd, from, n, l->at);
    if (p)
        mh_sys(SYS_munmap, p, l->n);
    return ret;
}

ssize_t mh_lost_end(const struct mh_lost *l)
{
    return l->appends ? append(l) : (ssize_t)l->n;
}
