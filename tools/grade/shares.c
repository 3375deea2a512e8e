/* SPDX-License-Identifier: Apache-2.0 */
/* Did a fault hit one operation and not the next, or was it a time in which all failed? By what
 * share of the operations it hit; see judge.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static uint64_t share_key(const struct mh_op_seen *o, const struct mh_act *a)
{
    return mh_mix2(mh_mix2((uint64_t)o->fault, a->process), a->peer ? a->peer : o->path + 1000000u);
}

int mh_shares_count(const struct mh_grading *g, struct mh_shares *ret)
{
    const struct mh_model *m = g->m;

    for (size_t i = 0; i < m->ops.n; i++) {
        const struct mh_op_seen *o = &m->ops.v[i];
        uint64_t key = share_key(o, &m->acts.v[o->act]);
        uint32_t have = mh_map_get(&ret->keys, key);
        struct mh_share *s;

        if (!o->fault)
            continue;
        if (have == MH_MAP_NONE) {
            have = (uint32_t)ret->list.n;
            s = mh_vec_add(&ret->list);
            if (!s || mh_map_set(&ret->keys, key, have))
                return -ENOMEM;
            s->low = s->high = o->ordinal;
        }
        s = &ret->list.v[have];
        s->hits++;
        s->low = MH_MIN(s->low, o->ordinal);
        s->high = MH_MAX(s->high, o->ordinal);
    }
    return 0;
}

/* Would the next try have gone through? A process that was hit once may have asked once: of several
 * workers each meets an outage by itself. It is known where it asked again while the fault was at
 * work, and was let through. */
static bool was_let_through(const struct mh_grading *g, const struct mh_op_seen *o,
                            const struct mh_act *a)
{
    const struct mh_process *p = &g->m->processes.v[a->process];
    int64_t lifted = mh_fault_lifted(g, o->fault, a->at);

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *b = &g->m->acts.v[i];

        if (b->at < a->until || (lifted && b->at >= lifted))
            continue;
        /* an attempt on a connection that was kept needs no look-up and no connect */
        if (b->kind == MH_ACT_attempt && b->peer == a->peer && !b->failed &&
            (!b->pooled || (o->kind != MH_OP_connect && o->kind != MH_OP_getaddrinfo)))
            return true;
        if (b->kind == MH_ACT_dns && o->kind == MH_OP_getaddrinfo && !b->dns.result)
            return true;
    }
    return !a->peer && o->kind != MH_OP_getaddrinfo; /* of a file: as it was counted */
}

bool mh_is_one_shot(const struct mh_grading *g, const struct mh_shares *shares,
                    const struct mh_op_seen *o, const struct mh_act *a)
{
    uint32_t have = o->fault ? mh_map_get(&shares->keys, share_key(o, a)) : MH_MAP_NONE;
    const struct mh_share *s;

    if (have == MH_MAP_NONE)
        return false;
    s = &shares->list.v[have];
    if (s->hits == 1)
        return was_let_through(g, o, a);
    return 2 * (double)s->hits <= (double)s->high - (double)s->low + 1;
}

void mh_shares_done(struct mh_shares *shares)
{
    mh_map_done(&shares->keys);
    free(shares->list.v);
}
