/* SPDX-License-Identifier: Apache-2.0 */
/* mmap and its family: arenas of Python's small objects come this way. Only anonymous mappings that
 * are large and meant to be used count, and only they can be refused for a budget. */
#include "hooks/mappings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/macros.h"
#include "base/sys.h"
#include "hooks/gate.h"
#include "hooks/refuse.h"
#include "memory/budget.h"

#include "base/banned.h"

/* A raw call's result as libc would return it. */
static void *result(long r)
{
    if (r >= 0 || r < -4095)
        return (void *)r;
    errno = (int)-r;
    return MAP_FAILED;
}

__attribute__((noinline)) void *mh_mmap_slow(enum mh_call call, void *at, size_t n, int prot,
                                             int flags, int fd, int64_t offset)
{
    bool asks = mh_refuse_counts();
    bool counts = asks && mh_budget_counts(n, prot, flags);
    size_t had = 0;
    void *p;

    if (asks && mh_refuse(call, MH_OP_mmap, n, counts))
        return MAP_FAILED;
    if (counts && (flags & MAP_FIXED)) /* takes the place of what was there */
        had = mh_budget_unmap(at, n);
    p = result(mh_sys(SYS_mmap, at, n, prot, flags, fd, offset));
    if (counts && p != MAP_FAILED)
        mh_budget_map(p, n);
    else if (had)
        mh_budget_map(at, had);
    return p;
}

MH_PUBLIC void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    return mh_memory_shut() ? mh_real.mmap(at, n, prot, flags, fd, offset)
                            : mh_mmap_slow(MH_CALL_mmap, at, n, prot, flags, fd, offset);
}

static __attribute__((noinline)) int slow_munmap(void *at, size_t n)
{
    size_t had = mh_refuse_counts() ? mh_budget_unmap(at, n) : 0;
    long r = mh_sys(SYS_munmap, at, n);

    if (r >= 0)
        return 0;
    if (had)
        mh_budget_map(at, had);
    errno = (int)-r;
    return -1;
}

MH_PUBLIC int munmap(void *at, size_t n)
{
    return mh_memory_shut() ? mh_real.munmap(at, n) : slow_munmap(at, n);
}

static __attribute__((noinline)) void *slow_mremap(void *at, size_t from, size_t to, int flags,
                                                   void *where)
{
    size_t had = mh_refuse_counts() ? mh_budget_unmap(at, from) : 0;
    void *p;

    if (to > from && mh_refuse(MH_CALL_mremap, MH_OP_mmap, to - from, had != 0)) {
        if (had)
            mh_budget_map(at, had);
        return MAP_FAILED;
    }
    p = result(mh_sys(SYS_mremap, at, from, to, flags, where));
    if (had)
        mh_budget_map(p == MAP_FAILED ? at : p, p == MAP_FAILED ? had : to);
    return p;
}

MH_PUBLIC void *mremap(void *at, size_t from, size_t to, int flags, ...)
{
    void *where = NULL;

    if (flags & MREMAP_FIXED) {
        va_list rest;

        va_start(rest, flags);
        where = va_arg(rest, void *);
        va_end(rest);
    }
    return mh_memory_shut() ? mh_real.mremap(at, from, to, flags, where)
                            : slow_mremap(at, from, to, flags, where);
}

/* The break: what an allocator of the program's own may live on (libc's goes past these names). */
static bool break_refused(enum mh_call call, int64_t by)
{
    if (mh_memory_shut() || !mh_refuse_counts())
        return false;
    if (by > 0 && mh_refuse(call, MH_OP_malloc, (size_t)by, true))
        return true;
    mh_budget_add(by);
    return false;
}

MH_PUBLIC void *sbrk(intptr_t by)
{
    void *was;

    if (break_refused(MH_CALL_sbrk, by))
        return MAP_FAILED; /* it is -1, too */
    /* Not known yet: an allocator that comes first asks while we look for it. It has other ways. */
    if (!MH_REAL(sbrk)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    was = mh_real.sbrk(by);
    if (was == MAP_FAILED && !mh_memory_shut() && mh_refuse_counts())
        mh_budget_add(-(int64_t)by);
    return was;
}

MH_PUBLIC int brk(void *end)
{
    int64_t by = mh_memory_shut() ? 0 : (int64_t)((uintptr_t)end - (uintptr_t)mh_sys(SYS_brk, 0));

    if (break_refused(MH_CALL_brk, by))
        return -1;
    if (!MH_REAL(brk)(end))
        return 0;
    if (!mh_memory_shut() && mh_refuse_counts())
        mh_budget_add(-by);
    return -1;
}
