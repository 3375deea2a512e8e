/* SPDX-License-Identifier: Apache-2.0 */
/* A fault that is switched off while it holds something back lets go of it. Whoever waits for what
 * is held wakes now and then to see that; nobody else does, and no fast path knows of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fd/guest.h"
#include "fd/table.h"

/* How long a wait for something held goes on without a look at the switches. */
#define MH_LIFT_TICK INT64_C(40000000)

/* Is anything switched off at all? */
static inline bool mh_switched(void)
{
    const struct mh_control *c = mh_guest.control;

    return __atomic_load_n(&mh_guest.leaving, __ATOMIC_RELAXED) |
           __atomic_load_n(&c->off, __ATOMIC_RELAXED) |
           __atomic_load_n(&c->fault_off[0], __ATOMIC_RELAXED) |
           __atomic_load_n(&c->fault_off[1], __ATOMIC_RELAXED);
}

/* Is this fault (-1: none), or are all? */
bool mh_lifted(int fault);

/* Lets go of what such faults hold back on this description, whose lock is held. A connect that was
 * to fail is begun. */
void mh_lift(struct mh_desc *d, int fd, int64_t now);

/* Does a fault hold something back on it? */
bool mh_holds(const struct mh_desc *d, int64_t now);

/* Sleeps until `until`, or until that fault is lifted (1). Else 0, or -EINTR. */
int mh_wait_held(int64_t until, int fault);
