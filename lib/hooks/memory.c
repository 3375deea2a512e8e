/* SPDX-License-Identifier: Apache-2.0 */
/* malloc and its family. Each is one load and a jump through `next`: to its slow twin before the
 * constructor has chosen, and for good when a fault can refuse memory; else to the real function.
 * The twins count blocks, ask whether they may be had, and know those of the pool that serves the
 * time before the real functions are known. */
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

static void *slow_malloc(size_t n)
{
    if (!KNOWN(malloc))
        return from_pool(1, n);
    if (!mh_refuse_counts())
        return mh_real.malloc(n);
    if (mh_refuse(MH_CALL_malloc, MH_OP_malloc, n, true))
        return NULL;
    return COUNTED(mh_real.malloc(n));
}

static void *slow_calloc(size_t n, size_t size)
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

static void slow_free(void *p)
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

static void *slow_realloc(void *p, size_t n)
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

static void *slow_aligned_alloc(size_t align, size_t n)
{
    return ALIGNED(aligned_alloc, align, n, mh_real.aligned_alloc(align, n));
}

static void *slow_memalign(size_t align, size_t n)
{
    return ALIGNED(memalign, align, n, mh_real.memalign(align, n));
}

/* Tells by its result and leaves *ret alone when it fails; glibc's sets errno all the same. */
static int slow_posix_memalign(void **ret, size_t align, size_t n)
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

#define ALL(X)                                                                                     \
    X(malloc)                                                                                      \
    X(calloc) X(realloc) X(free) X(aligned_alloc) X(memalign) X(posix_memalign)

static struct {
#define SLOT(name) __typeof__(mh_real.name) name;
    ALL(SLOT)
#undef SLOT
} next = {
#define SLOT(name) .name = slow_##name,
    ALL(SLOT)
#undef SLOT
};

#define NEXT(name) __atomic_load_n(&next.name, __ATOMIC_RELAXED)

void mh_memory_settle(void)
{
    if (mh_gate.memory)
        return;
#define SLOT(name)                                                                                 \
    if (mh_real.name)                                                                              \
        __atomic_store_n(&next.name, mh_real.name, __ATOMIC_RELAXED);
    ALL(SLOT)
#undef SLOT
    /* A block of the pool may still come back. */
    if (mh_pool_used()) {
        __atomic_store_n(&next.free, slow_free, __ATOMIC_RELAXED);
        __atomic_store_n(&next.realloc, slow_realloc, __ATOMIC_RELAXED);
    }
}

MH_PUBLIC void *malloc(size_t n)
{
    return NEXT(malloc)(n);
}

MH_PUBLIC void *calloc(size_t n, size_t size)
{
    return NEXT(calloc)(n, size);
}

MH_PUBLIC void free(void *p)
{
    NEXT(free)(p);
}

MH_PUBLIC void *realloc(void *p, size_t n)
{
    return NEXT(realloc)(p, n);
}

MH_PUBLIC void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return NEXT(realloc)(p, bytes);
}

MH_PUBLIC void *aligned_alloc(size_t align, size_t n)
{
    return NEXT(aligned_alloc)(align, n);
}

MH_PUBLIC void *memalign(size_t align, size_t n)
{
    return NEXT(memalign)(align, n);
}

MH_PUBLIC int posix_memalign(void **ret, size_t align, size_t n)
{
    return NEXT(posix_memalign)(ret, align, n);
}
