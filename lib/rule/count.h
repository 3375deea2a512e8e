/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the `when` keys: how many operations each (fault, scope) has seen and hit. A fixed
 * open-addressed table over the caller's memory, lock-free, so that it may also be shared by the
 * processes of a run. When it is full the counters of a fault fold into one per fault. */
#pragma once

#include <stdint.h>

enum { MH_COUNTER_SLOTS = 16384 };

struct mh_counter {
    uint64_t key; /* 0 = free */
    uint64_t seen;
    uint64_t hit;
};

struct mh_counters {
    struct mh_counter slots[MH_COUNTER_SLOTS];
};

/* The counter of this fault in this scope; never NULL. */
struct mh_counter *mh_counter_get(struct mh_counters *counters, unsigned fault, uint64_t scope);
