/* SPDX-License-Identifier: Apache-2.0 */
/* Disk budgets; see disk.h. As on a disk, writing over what is there costs nothing, and what is cut
 * off or removed gives its room back. */
#include "hooks/disk.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"
#include "fd/decide.h"

#include "base/banned.h"

static _Atomic int64_t grown[MH_MAX_FAULTS]; /* bytes, by fault */

void mh_disk_init(void)
{
    for (unsigned i = 0; i < MH_MAX_FAULTS; i++)
        grown[i] = 0;
}

static bool concerns(const struct mh_fault *f, const char *path)
{
    if (!f->takes_part || !(f->effects & MH_EFFECT_BIT(MH_EFFECT_disk)))
        return false;
    for (unsigned i = 0; i < f->npaths; i++)
        if (mh_glob(f->paths[i], path, true))
            return true;
    return f->npaths == 0;
}

static bool limited(const char *path)
{
    const struct mh_rules *rules = mh_guest.rules;

    for (unsigned i = 0; path && i < rules->nfaults; i++)
        if (concerns(&rules->faults[i], path))
            return true;
    return false;
}

int64_t mh_disk_size(int fd, const char *path)
{
    struct stat st;

    if (!limited(path) || mh_sys(SYS_fstat, fd, &st) || !S_ISREG(st.st_mode))
        return -1;
    return st.st_size;
}

int64_t mh_disk_size_named(int dir, const char *name, const char *path)
{
    struct stat st;

    if (!limited(path) || mh_sys(SYS_newfstatat, dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
        !S_ISREG(st.st_mode) || st.st_nlink > 1)
        return -1;
    return st.st_size;
}

void mh_disk_changed(const char *path, int64_t by)
{
    const struct mh_rules *rules = mh_guest.rules;

    for (unsigned i = 0; by && i < rules->nfaults; i++)
        if (concerns(&rules->faults[i], path))
            atomic_fetch_add(&grown[i], by);
}

uint64_t mh_disk_room(const struct mh_desc *d, int fd, int64_t at, uint64_t n, int64_t size,
                      struct mh_verdict *ret)
{
    int64_t growth, room;
    struct mh_place place;

    if (at < 0)
        at = mh_sys(SYS_fcntl, fd, F_GETFL, 0) & O_APPEND ? size
                                                          : mh_sys(SYS_lseek, fd, 0, SEEK_CUR);
    growth = at < 0 ? 0 : at + (int64_t)n - size;
    if (growth <= 0)
        return n;
    mh_python_place(&place);
    if (!mh_decide_kept(MH_OP_write, d->path, &place, ret) ||
        !(ret->effects & MH_EFFECT_BIT(MH_EFFECT_disk)))
        return n;
    room = (int64_t)ret->limit - atomic_load(&grown[ret->fault]);
    room = MH_MAX(room, 0);
    if (growth <= room)
        return n;
    return growth - room >= (int64_t)n ? 0 : n - (uint64_t)(growth - room);
}

bool mh_disk_left(const char *path, uint64_t *ret)
{
    struct mh_place place;
    struct mh_verdict v;
    int64_t room;

    if (!limited(path))
        return false;
    mh_python_place(&place);
    if (!mh_decide_kept(MH_OP_write, path, &place, &v) ||
        !(v.effects & MH_EFFECT_BIT(MH_EFFECT_disk)))
        return false;
    room = (int64_t)v.limit - atomic_load(&grown[v.fault]);
    *ret = (uint64_t)MH_MAX(room, 0);
    return true;
}
