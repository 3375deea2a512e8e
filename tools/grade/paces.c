/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of waits that are none, as the same is waited for again when they have run out: a client
 * looks in between for signals, say. They are told by that once, and then by their length. */
#include <errno.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static uint64_t key_of(const struct mh_act *a)
{
    return mh_mix2(a->peer, (uint64_t)a->wait.timeout);
}

int mh_paces_find(struct mh_grading *g)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_waited && a->wait.ready == MH_WAIT_WENT_ON && a->peer &&
            mh_map_set(&g->paces, key_of(a), 1))
            return -ENOMEM;
    }
    return 0;
}

bool mh_is_pace(const struct mh_grading *g, const struct mh_act *a)
{
    return a->wait.timeout > 0 && mh_map_get(&g->paces, key_of(a)) == 1;
}
