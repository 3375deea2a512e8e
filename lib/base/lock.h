/* SPDX-License-Identifier: Apache-2.0 */
/* A lock of one word that gives up: who cannot have it soon works without what it guards, so that
 * neither a fork nor a signal can leave anybody waiting for ever. Zero is open. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"

enum { MH_LOCK_SPINS = 50, MH_LOCK_TRIES = 2000 };

/* Takes it; false when it cannot be had soon. */
static inline bool mh_lock_try(uint32_t *lock)
{
    for (int i = 0; i < MH_LOCK_TRIES; i++) {
        uint32_t free_ = 0;

        if (__atomic_compare_exchange_n(lock, &free_, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
        if (i > MH_LOCK_SPINS)
            mh_sys(SYS_sched_yield, 0);
    }
    return false;
}

static inline void mh_lock_open(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
