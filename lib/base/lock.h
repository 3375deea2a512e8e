/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of one word. Zero is open. Neither a fork nor a signal can leave anybody waiting for ever:
 * a child opens what other threads held, a hook that interrupts a hook takes no lock, and a lock
 * that nobody has opened for a second counts as left behind, once and for all. */
#pragma once

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"

enum { MH_LOCK_SPINS = 50, MH_LOCK_TRIES = 2000 };

/* Values of the word. */
enum { MH_LOCK_OPEN, MH_LOCK_HELD, MH_LOCK_AWAITED, MH_LOCK_LEFT };

/* The second half of mh_lock(). */
bool mh_lock_wait(uint32_t *lock);

static inline bool mh_lock_now(uint32_t *lock)
{
    uint32_t open = MH_LOCK_OPEN;

    return __atomic_compare_exchange_n(lock, &open, MH_LOCK_HELD, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Takes it. Who holds it may have lost its processor: then this sleeps until it is opened. False
 * only when it was left behind; who cannot have it works without what it guards. */
static inline bool mh_lock(uint32_t *lock)
{
    for (int i = 0; i < MH_LOCK_SPINS; i++)
        if (mh_lock_now(lock))
            return true;
    return mh_lock_wait(lock);
}

/* Takes it; false when it cannot be had soon: for what is held long, and can be done without. */
static inline bool mh_lock_try(uint32_t *lock)
{
    for (int i = 0; i < MH_LOCK_TRIES; i++) {
        if (mh_lock_now(lock))
            return true;
        if (i > MH_LOCK_SPINS)
            mh_sys(SYS_sched_yield, 0);
    }
    return false;
}

static inline void mh_lock_open(uint32_t *lock)
{
    if (__atomic_exchange_n(lock, MH_LOCK_OPEN, __ATOMIC_RELEASE) == MH_LOCK_AWAITED)
        mh_sys(SYS_futex, lock, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
