/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for allocations that come before the real malloc is known: the dynamic linker and other
 * libraries allocate before our constructor, and looking up malloc may itself allocate. Blocks are
 * cut from a fixed area and never reused, so free() of one is nothing; but whoever frees or resizes
 * must ask first whose a block is. Lock-free; any context may call it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MH_POOL_SIZE = 256 << 10 };

/* Zeroed memory; NULL when the area is used up, or align is no power of two. */
void *mh_pool_alloc(size_t align, size_t n);

/* How much of p may be used; 0 when p is not from here. */
size_t mh_pool_size(const void *p);

/* Whether any block was ever given out. */
bool mh_pool_used(void);

extern char mh_pool_area[MH_POOL_SIZE];

static inline bool mh_pool_owns(const void *p)
{
    return (uintptr_t)p - (uintptr_t)mh_pool_area < MH_POOL_SIZE;
}
