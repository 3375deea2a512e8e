/* SPDX-License-Identifier: Apache-2.0 */
/* The table of counters; see count.h. The last slots are one per fault, for when the others are
 * taken. */
#include "rule/count.h"

#include "base/hash.h"
#include "rule/rule.h"

#include "base/banned.h"

enum { HASHED = MH_COUNTER_SLOTS - MH_MAX_FAULTS, PROBES = 48 };
_Static_assert(HASHED > 0, "room for counters by scope");

struct mh_counter *mh_counter_get(struct mh_counters *counters, unsigned fault, uint64_t scope)
{
    uint64_t key = mh_mix2(fault + 1, scope) | 1;
    uint64_t at = (key >> 32) * HASHED >> 32;

    for (unsigned i = 0; i < PROBES; i++) {
        struct mh_counter *c = &counters->slots[at];
        uint64_t there = __atomic_load_n(&c->key, __ATOMIC_RELAXED);

        /* a lost race leaves the winner's key in `there`: it may be ours */
        if (there == key ||
            (there == 0 && (__atomic_compare_exchange_n(&c->key, &there, key, false,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
                            there == key)))
            return c;
        at = at + 1 == HASHED ? 0 : at + 1;
    }
    return &counters->slots[HASHED + fault % MH_MAX_FAULTS];
}
