/* SPDX-License-Identifier: Apache-2.0 */
/* Creation and mapping of the run's shared page; see control.h. Used by the library's constructor
 * and by the tool: raw system calls only. */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/sys.h"

#include "base/banned.h"

/* The page is made under a name of its own and linked to its place: whoever comes second finds a
 * whole one. */
static int control_create(const char *path)
{
    struct mh_control *c;
    long fd, p, mine;
    MH_BUF(temp, 600);

    mh_buf_add(&temp, path);
    mh_buf_add_char(&temp, '.');
    mh_buf_add_uint(&temp, (uint64_t)mh_sys_getpid(), 10);
    if (temp.cut)
        return -ENAMETOOLONG;
    fd = mh_sys(SYS_openat, AT_FDCWD, temp.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return (int)fd;
    mine = mh_sys(SYS_fallocate, fd, 0, 0, sizeof(*c));
    if (mine == -EOPNOTSUPP)
        mine = mh_sys(SYS_ftruncate, fd, sizeof(*c));
    p = mine ? mine : mh_sys(SYS_mmap, 0, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    mh_sys(SYS_close, fd);
    if (p > 0 || p < -4095) {
        c = (struct mh_control *)p;
        memcpy(c->magic, MH_CONTROL_MAGIC, sizeof(c->magic));
        c->version = MH_CONTROL_VERSION;
        mh_sys(SYS_getrandom, &c->digest_key, sizeof(c->digest_key), 0);
        mh_sys(SYS_munmap, c, sizeof(*c));
        p = mh_sys(SYS_linkat, AT_FDCWD, temp.data, AT_FDCWD, path, 0);
    }
    mh_sys(SYS_unlinkat, AT_FDCWD, temp.data, 0);
    return p == -EEXIST ? 0 : (int)p;
}

/* Is it ours, and of this version? What stands first never moves. */
static long control_check(long fd)
{
    struct {
        char magic[8];
        uint32_t version;
    } head;
    long n = mh_sys(SYS_pread64, fd, &head, sizeof(head), 0);

    if (n < 0)
        return n;
    if (n < (long)sizeof(head) || memcmp(head.magic, MH_CONTROL_MAGIC, sizeof(head.magic)))
        return -EBADMSG;
    if (head.version != MH_CONTROL_VERSION)
        return -EPROTONOSUPPORT;
    n = mh_sys(SYS_lseek, fd, 0, SEEK_END);
    return n < (long)sizeof(struct mh_control) ? -EBADMSG : 0;
}

static int control_map(const char *path, struct mh_control **ret)
{
    long fd = mh_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    long p;

    if (fd < 0)
        return (int)fd;
    p = control_check(fd);
    if (!p)
        p = mh_sys(SYS_mmap, 0, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    mh_sys(SYS_close, fd);
    if (p < 0 && p > -4096)
        return (int)p;
    *ret = (struct mh_control *)p;
    return 0;
}

int mh_control_open(const char *dir, bool make, struct mh_control **ret)
{
    MH_BUF(path, 560);
    int r;

    mh_buf_add(&path, dir);
    mh_buf_add(&path, "/control");
    if (path.cut)
        return -ENAMETOOLONG;
    r = control_map(path.data, ret);
    if (r != -ENOENT || !make)
        return r;
    r = control_create(path.data);
    return r < 0 ? r : control_map(path.data, ret);
}

void mh_control_digest_as(struct mh_control *c, const char *dir)
{
    struct mh_control *other;

    if (mh_control_open(dir, false, &other) < 0)
        return;
    c->digest_key = other->digest_key;
    mh_sys(SYS_munmap, other, sizeof(*other));
}

int64_t mh_control_digests(const struct mh_control *c)
{
    return (int64_t)(mh_mix2(c->digest_key, sizeof(*c)) >> 32) | 1;
}
