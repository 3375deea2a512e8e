/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of the time before the real malloc; see pool.h. Each block has its size before it. */
#include "memory/pool.h"

#include <stdatomic.h>

#include "base/macros.h"

#include "base/banned.h"

enum { ALIGN = 16 };

__attribute__((visibility("hidden"), aligned(4096))) char mh_pool_area[MH_POOL_SIZE];
static _Atomic size_t used;

void *mh_pool_alloc(size_t align, size_t n)
{
    size_t old = atomic_load(&used);
    size_t at, end;

    if ((align & (align - 1)) || align > MH_POOL_SIZE || n > MH_POOL_SIZE)
        return NULL;
    align = MH_MAX(align, (size_t)ALIGN);
    do {
        at = (old + sizeof(size_t) + align - 1) & ~(align - 1);
        end = at + MH_MAX(n, (size_t)1);
        if (end > MH_POOL_SIZE)
            return NULL;
    } while (!atomic_compare_exchange_weak(&used, &old, end));
    *(size_t *)(void *)(mh_pool_area + at - sizeof(size_t)) = n;
    return mh_pool_area + at;
}

size_t mh_pool_size(const void *p)
{
    return mh_pool_owns(p) ? *(const size_t *)(const void *)((const char *)p - sizeof(size_t)) : 0;
}

bool mh_pool_used(void)
{
    return atomic_load(&used) > 0;
}
