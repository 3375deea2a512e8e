/* SPDX-License-Identifier: Apache-2.0 */
/* Waits without a limit that something else ended: an alarm, a watchdog that shuts the connection
 * down. They cannot be told from others until a hang holds them: then those end, and these do not.
 */
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t ms = 1000000;

/* The span for which a hang held the attempt of this trial, and whether it ended before the hang.
 * Returns false when it says nothing. */
static bool held(const struct mh_grading *g, const struct mh_trial *t, int64_t *ret_span,
                 bool *ret_cut)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_act *a = &g->m->acts.v[o->act];
    const struct mh_act *attempt = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    int64_t stop = g->m->stops.n ? g->m->stops.v[0].at : INT64_MAX, end;

    if (!t->fault || !mh_effect_silent(t->effect) || !attempt)
        return false;
    if (!o->nonblocking && o->timeout >= 0) /* it is its own limit that ends it */
        return false;
    end = mh_fault_lifted(g, t->fault, a->at);
    end = MH_MIN(end ? end : g->m->last, stop);
    *ret_cut = attempt->failed && attempt->attempt.ended > a->at &&
               attempt->attempt.ended < end - 100 * ms;
    *ret_span = (*ret_cut ? attempt->attempt.ended : end) - a->at;
    /* it was the caller who left, and not the application */
    return !(*ret_cut && !u->open && u->how == 1 && u->ended <= attempt->attempt.ended);
}

void mh_cuts_of(const struct mh_grading *g, uint32_t site, uint32_t peer, struct mh_cuts *ret)
{
    *ret = (struct mh_cuts){.longest = 0};
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < g->trials.n; i++) {
            const struct mh_trial *t = &g->trials.v[i];
            int64_t span;
            bool cut;

            if (t->site != site || t->peer != peer || !held(g, t, &span, &cut))
                continue;
            if (!pass && cut) {
                ret->cut++;
                ret->longest = MH_MAX(ret->longest, span);
            } else if (pass && !cut) /* of one that had just begun nothing is known */
                ret->stood += span > ret->longest + ret->longest / 2 + 100 * ms;
        }
}
