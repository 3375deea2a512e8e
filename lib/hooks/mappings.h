/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of mmap() share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "fd/guest.h"
#include "table/table.h"

/* Is nothing asked of memory? Then the real function it is. */
static inline bool mh_memory_shut(void)
{
    return MH_LIKELY(!__atomic_load_n(&mh_gate.memory, __ATOMIC_RELAXED));
}

void *mh_mmap_slow(enum mh_call call, void *at, size_t n, int prot, int flags, int fd,
                   int64_t offset);
