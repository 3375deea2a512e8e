/* SPDX-License-Identifier: Apache-2.0 */
/* Did a connect that failed go on to another address, and was that a walk of a library's, or
 * somewhere else to go? See judge.h. */
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static int port_of(const struct mh_model *m, uint32_t peer)
{
    return peer ? m->peers.v[peer - 1].port : -1;
}

/* A name, not an address: 10.0.0.7:5432, [fd00::7]:5432. */
static bool is_named(const struct mh_model *m, uint32_t peer)
{
    const char *text = peer ? mh_model_text(m, m->peers.v[peer - 1].name) : "";

    return *text && *text != '[' && text[strspn(text, "0123456789.")] != ':';
}

/* The first act of the unit from this time on. */
static uint32_t first_from(const struct mh_model *m, const struct mh_unit *u, int64_t at)
{
    uint32_t low = 0, high = u->nacts;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (m->acts.v[m->by_unit.v[u->first_act + mid]].at < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* One of several addresses, or of several named endpoints: the same call, on the same line, went on
 * to the next at once. The second endpoint is one that somebody has provided. */
void mh_trial_walk(const struct mh_model *m, const struct mh_op_seen *o, struct mh_trial *t)
{
    const struct mh_act *a = &m->acts.v[o->act];
    const struct mh_unit *u = &m->units.v[t->unit - 1];

    t->walked = t->chosen = t->moved = false;
    for (uint32_t i = first_from(m, u, a->at); o->kind == MH_OP_connect && i < u->nacts; i++) {
        const struct mh_act *next = &m->acts.v[m->by_unit.v[u->first_act + i]];

        if (next->at - a->until >= INT64_C(50000000))
            break;
        if (next->kind != MH_ACT_attempt || next < a || next->stack != a->stack || !next->stack ||
            port_of(m, next->peer) != port_of(m, a->peer) || next->conn == a->conn ||
            next->tid != a->tid)
            continue;
        if (next->peer == a->peer)
            t->walked |= o->attempt &&
                         next->attempt.family_id != m->acts.v[o->attempt - 1].attempt.family_id;
        else if (is_named(m, next->peer) && is_named(m, a->peer))
            t->moved = true;
        else
            t->walked = t->chosen = true;
    }
}
