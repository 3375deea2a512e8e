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
#include "base/sys.h"

#include "base/banned.h"

/* The page is made under a name of its own and linked to its place: whoever comes second finds a
 * whole one. */
static void control_create(const char *path)
{
    struct mh_control *c;
    long fd, p, mine;
    MH_BUF(temp, 600);

    mh_buf_add(&temp, path);
    mh_buf_add_char(&temp, '.');
    mh_buf_add_uint(&temp, (uint64_t)mh_sys_getpid(), 10);
    if (temp.cut)
        return;
    fd = mh_sys(SYS_openat, AT_FDCWD, temp.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    mine = mh_sys(SYS_fallocate, fd, 0, 0, sizeof(*c));
    if (mine == -EOPNOTSUPP)
        mine = mh_sys(SYS_ftruncate, fd, sizeof(*c));
    p = mine ? -1 : mh_sys(SYS_mmap, 0, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    mh_sys(SYS_close, fd);
    if (p > 0 || p < -4095) {
        c = (struct mh_control *)p;
        memcpy(c->magic, MH_CONTROL_MAGIC, sizeof(c->magic));
        c->version = MH_CONTROL_VERSION;
        mh_sys(SYS_getrandom, &c->digest_key, sizeof(c->digest_key), 0);
        mh_sys(SYS_munmap, c, sizeof(*c));
        mh_sys(SYS_linkat, AT_FDCWD, temp.data, AT_FDCWD, path, 0);
    }
    mh_sys(SYS_unlinkat, AT_FDCWD, temp.data, 0);
}

static struct mh_control *control_map(const char *path)
{
    long fd = mh_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    struct mh_control *c = NULL;
    long size, p;

    if (fd < 0)
        return NULL;
    size = mh_sys(SYS_lseek, fd, 0, SEEK_END);
    p = size < (long)sizeof(*c)
            ? -1
            : mh_sys(SYS_mmap, 0, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    mh_sys(SYS_close, fd);
    if (p < 0 && p > -4096)
        return NULL;
    c = (struct mh_control *)p;
    if (memcmp(c->magic, MH_CONTROL_MAGIC, sizeof(c->magic)) || c->version != MH_CONTROL_VERSION) {
        mh_sys(SYS_munmap, c, sizeof(*c));
        return NULL;
    }
    return c;
}

struct mh_control *mh_control_open(const char *dir)
{
    struct mh_control *c;
    MH_BUF(path, 560);

    mh_buf_add(&path, dir);
    mh_buf_add(&path, "/control");
    if (path.cut)
        return NULL;
    c = control_map(path.data);
    if (!c) {
        control_create(path.data);
        c = control_map(path.data);
    }
    return c;
}
