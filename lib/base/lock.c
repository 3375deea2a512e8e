/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a lock; see lock.h. */
#include "base/lock.h"

#include "base/banned.h"

/* Longer than any thread that can run goes without its processor. */
enum { LEFT_NS = 1000000000 };

static bool change(uint32_t *lock, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(lock, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool mh_lock_wait(uint32_t *lock)
{
    int64_t start = mh_now(), left;

    while ((left = LEFT_NS - (mh_now() - start)) > 0) {
        struct timespec t = {left / 1000000000, left % 1000000000};

        switch (__atomic_load_n(lock, __ATOMIC_RELAXED)) {
        case MH_LOCK_OPEN: /* others may sleep, too: whoever opens it must wake one */
            if (change(lock, MH_LOCK_OPEN, MH_LOCK_AWAITED))
                return true;
            break;
        case MH_LOCK_HELD:
            change(lock, MH_LOCK_HELD, MH_LOCK_AWAITED);
            break;
        case MH_LOCK_AWAITED:
            mh_sys(SYS_futex, lock, FUTEX_WAIT_PRIVATE, MH_LOCK_AWAITED, &t, 0, 0);
            break;
        default:
            return false;
        }
    }
    if (change(lock, MH_LOCK_AWAITED, MH_LOCK_LEFT) || change(lock, MH_LOCK_HELD, MH_LOCK_LEFT))
        mh_sys(SYS_futex, lock, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
    return false;
}
