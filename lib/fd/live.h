/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in force in this process, kept in step with what `mishap set` changes. */
#pragma once

#include "fd/guest.h"

/* The rules as they were loaded, with what was changed before this process began. Called by the
 * constructor, when control and rules are there. */
void mh_live_init(void);

/* The rules as they were loaded: out of use when others are. */
struct mh_rules *mh_live_loaded(void);

/* Child side of fork. */
void mh_live_after_fork(void);

/* Takes over what was changed; for mh_live_rules(). */
void mh_live_adopt(void);

/* The number of the changes that mh_guest.rules hold. */
extern uint32_t mh_live_generation;

/* The rules in force: one load and one comparison when nothing was changed. Only inside the guard
 * of the slow path. What it returns can be used until the hook returns. */
static inline const struct mh_rules *mh_live_rules(void)
{
    if (__builtin_expect(__atomic_load_n(&mh_guest.control->generation, __ATOMIC_RELAXED) !=
                             __atomic_load_n(&mh_live_generation, __ATOMIC_RELAXED),
                         0))
        mh_live_adopt();
    return __atomic_load_n(&mh_guest.rules, __ATOMIC_ACQUIRE);
}
