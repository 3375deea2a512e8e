/* SPDX-License-Identifier: Apache-2.0 */
/* malloc and its family. With the gate shut each is one load, one branch and a jump to the real
 * one; free() and realloc() also ask whether a block is of the pool that serves the time before the
 * real functions are known. With the gate open blocks are counted, and allocations may be refused.
 */
#include "hooks/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "hooks/gate.h"
#include "hooks/refuse.h"
#include "memory/budget.h"
#include "memory/pool.h"

#include "base/banned.h"

/* Set while an allocator works for us: what it calls in its turn (reallocarray realloc, jemalloc
 * mmap) is part of the block that it is about to give out, and counted as that. */
__thread unsigned char mh_inside_allocator;

static inline bool shut(void)
{
    return MH_LIKELY(!__atomic_load_n(&mh_gate.memory, __ATOMIC_RELAXED));
}

/* Before the constructor: known means that the real call can be used. */
#define KNOWN(name) (mh_real.name || (mh_gate_boot(), mh_real.name))

static void *from_pool(size_t align, size_t n)
{
    void *p = mh_pool_alloc(align, n);

    if (!p)
        errno = ENOMEM;
    return p;
}

/* Calls the real function and counts the block that it gives. */
#define COUNTED(call)                                                                              \
    ({                                                                                             \
        void *block_;                                                                              \
        mh_inside_allocator++;                                                                     \
        block_ = (call);                                                                           \
        mh_inside_allocator--;                                                                     \
        if (block_)                                                                                \
            mh_budget_add((int64_t)malloc_usable_size(block_));                                    \
        block_;                                                                                    \
    })

static __attribute__((noinline)) void *slow_malloc(size_t n)
{
    if (!KNOWN(malloc))
        return from_pool(1, n);
    if (!mh_refuse_counts())
        return mh_real.malloc(n);
    if (mh_refuse(MH_CALL_malloc, MH_OP_malloc, n, true))
        return NULL;
    return COUNTED(mh_real.malloc(n));
}

MH_PUBLIC void *malloc(size_t n)
{
    return shut() ? mh_real.malloc(n) : slow_malloc(n);
}

static __attribute__((noinline)) void *slow_calloc(size_t n, size_t size)
{
    size_t bytes;
    bool too_much = __builtin_mul_overflow(n, size, &bytes);

    if (!KNOWN(calloc))
        return from_pool(1, too_much ? SIZE_MAX : bytes);
    if (!mh_refuse_counts() || too_much)
        return mh_real.calloc(n, size);
    if (mh_refuse(MH_CALL_calloc, MH_OP_malloc, bytes, true))
        return NULL;
    return COUNTED(mh_real.calloc(n, size));
}

MH_PUBLIC void *calloc(size_t n, size_t size)
{
    return shut() ? mh_real.calloc(n, size) : slow_calloc(n, size);
}

static __attribute__((noinline)) void slow_free(void *p)
{
    if (!p || mh_pool_owns(p) || !KNOWN(free))
        return;
    if (!mh_refuse_counts()) {
        mh_real.free(p);
        return;
    }
    mh_budget_add(-(int64_t)malloc_usable_size(p));
    mh_inside_allocator++;
    mh_real.free(p);
    mh_inside_allocator--;
}

MH_PUBLIC void free(void *p)
{
    if (shut() && !mh_pool_owns(p))
        mh_real.free(p);
    else
        slow_free(p);
}

/* A block of the pool cannot grow: it moves out, and its old place is lost. */
static void *leave_pool(void *p, size_t n)
{
    size_t old = mh_pool_size(p);
    void *fresh;

    if (!n)
        return NULL;
    fresh = malloc(n);
    if (fresh)
        memcpy(fresh, p, MH_MIN(old, n));
    return fresh;
}

static __attribute__((noinline)) void *slow_realloc(void *p, size_t n)
{
    size_t old;
    void *ret;

    if (mh_pool_owns(p))
        return leave_pool(p, n);
    if (!KNOWN(realloc))
        return p ? NULL : from_pool(1, n);
    if (!mh_refuse_counts())
        return mh_real.realloc(p, n);
    old = p ? malloc_usable_size(p) : 0;
    if (n > old && mh_refuse(MH_CALL_realloc, MH_OP_malloc, n - old, true))
        return NULL;
    mh_inside_allocator++;
    ret = mh_real.realloc(p, n);
    mh_inside_allocator--;
    if (ret)
        mh_budget_add((int64_t)malloc_usable_size(ret) - (int64_t)old);
    else if (p && !n)
        mh_budget_add(-(int64_t)old);
    return ret;
}

MH_PUBLIC void *realloc(void *p, size_t n)
{
    return shut() && !mh_pool_owns(p) ? mh_real.realloc(p, n) : slow_realloc(p, n);
}

MH_PUBLIC void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

/* The three that align. `real` is their real call with the arguments filled in. */
#define ALIGNED(name, align, n, real)                                                              \
    ({                                                                                             \
        void *got_;                                                                                \
        if (!KNOWN(name))                                                                          \
            got_ = from_pool(align, n);                                                            \
        else if (!mh_refuse_counts())                                                              \
            got_ = (real);                                                                         \
        else if (mh_refuse(MH_CALL_##name, MH_OP_malloc, n, true))                                 \
            got_ = NULL;                                                                           \
        else                                                                                       \
            got_ = COUNTED(real);                                                                  \
        got_;                                                                                      \
    })

MH_PUBLIC void *aligned_alloc(size_t align, size_t n)
{
    return shut() ? mh_real.aligned_alloc(align, n)
                  : ALIGNED(aligned_alloc, align, n, mh_real.aligned_alloc(align, n));
}

MH_PUBLIC void *memalign(size_t align, size_t n)
{
    return shut() ? mh_real.memalign(align, n)
                  : ALIGNED(memalign, align, n, mh_real.memalign(align, n));
}

/* Tells by its result and leaves *ret alone when it fails; glibc's sets errno all the same. */
static __attribute__((noinline)) int slow_posix_memalign(void **ret, size_t align, size_t n)
{
    void *p;
    int r;

    if (align % sizeof(void *) || !align || (align & (align - 1)))
        return EINVAL;
    if (!KNOWN(posix_memalign)) {
        p = from_pool(align, n);
        if (p)
            *ret = p;
        return p ? 0 : ENOMEM;
    }
    if (!mh_refuse_counts())
        return mh_real.posix_memalign(ret, align, n);
    if (mh_refuse(MH_CALL_posix_memalign, MH_OP_malloc, n, true))
        return errno;
    mh_inside_allocator++;
    r = mh_real.posix_memalign(ret, align, n);
    mh_inside_allocator--;
    if (!r)
        mh_budget_add((int64_t)malloc_usable_size(*ret));
    return r;
}

MH_PUBLIC int posix_memalign(void **ret, size_t align, size_t n)
{
    return shut() ? mh_real.posix_memalign(ret, align, n) : slow_posix_memalign(ret, align, n);
}
