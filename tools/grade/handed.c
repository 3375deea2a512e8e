/* SPDX-License-Identifier: Apache-2.0 */
/* What each request handed to one broker: while it was served, or by the work that it left behind
 * when it had been answered. That work is the request's own, and no unit of work waits for it: its
 * failures are no trials. See judge.h. */
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

uint32_t mh_act_left_by(const struct mh_model *m, const struct mh_act *a)
{
    return a->outlived && a->piece ? m->pieces.v[a->piece - 1].unit : 0;
}

uint32_t mh_act_owner(const struct mh_model *m, const struct mh_act *a)
{
    return a->unit ? a->unit : mh_act_left_by(m, a);
}

bool mh_is_push(const struct mh_grading *g, const struct mh_act *a, uint32_t peer)
{
    return a->kind == MH_ACT_attempt && a->peer == peer && a->attempt.digest &&
           mh_redis_use_of(mh_model_text(g->m, a->attempt.text)) == MH_REDIS_push;
}

/* May this be the message? Of a protocol that is not read anything may. */
static bool may_be_push(const struct mh_grading *g, const struct mh_act *a, uint32_t peer)
{
    enum mh_redis_use use;

    if (a->kind != MH_ACT_attempt || a->peer != peer || !a->attempt.digest)
        return false;
    use = mh_redis_use_of(mh_model_text(g->m, a->attempt.text));
    return use == MH_REDIS_none || use == MH_REDIS_push || use == MH_REDIS_other;
}

static void count(const struct mh_grading *g, const struct mh_act *a, uint32_t peer,
                  struct mh_handed *h)
{
    h->elsewhere |=
        a->kind == MH_ACT_file || (a->kind == MH_ACT_attempt && a->peer && a->peer != peer &&
                                   g->m->peers.v[a->peer - 1].role != MH_ROLE_telemetry);
    h->sent |= may_be_push(g, a, peer);
    if (!mh_is_push(g, a, peer))
        return;
    h->first = h->pushes++ ? MH_MIN(h->first, a->at) : a->at;
    h->answered += a->answered;
    /* who is not there when it is published never hears of it: no work is handed over so */
    h->after += !a->unit && strcmp(mh_model_text(g->m, a->attempt.text), "PUBLISH") != 0;
}

struct mh_handed *mh_handed_of(const struct mh_grading *g, uint32_t peer)
{
    struct mh_handed *ret = calloc(g->m->units.n + 1, sizeof(*ret));

    for (size_t i = 0; ret && i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        uint32_t unit = mh_act_owner(g->m, a);

        if (unit)
            count(g, a, peer, &ret[unit]);
    }
    return ret;
}

struct mh_habit *mh_habits_of(const struct mh_grading *g, const struct mh_handed *handed)
{
    struct mh_habit *ret = calloc(g->m->routes.n + 1, sizeof(*ret));

    for (size_t i = 0; ret && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (!u->calm || u->command)
            continue;
        ret[u->route].calm++;
        ret[u->route].after += handed[i + 1].after > 0;
    }
    return ret;
}
