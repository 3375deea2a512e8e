/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence that a process did not give: what a rule rests on (the column `tiers` of rules.def) is
 * held against what was seen where it judged. A verdict that rests on what could not be seen is
 * unclear: a finding as well as a pass, or a "not exercised", concluded from its absence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

enum { PROOF = 10 }; /* one in ten or fewer is no proof */

/* Facts that are known by stacks alone: who runs the code, in which library, in a task of whom. */
enum { BY_STACK = MH_FACT_loop | MH_FACT_tasks | MH_FACT_queue | MH_FACT_optional };

bool mh_outcomes_lacking(const struct mh_process *p)
{
    return p->traced_by_other || p->no_outcomes || p->no_stacks;
}

static bool is_at(uint32_t site, uint32_t peer, uint32_t at_site, uint32_t at_peer)
{
    return (!site || site == at_site) && (!peer || peer == at_peer);
}

/* Of the failures at a place, how many were not followed although they might have been; and in
 * which process. */
static bool lacks_outcomes(const struct mh_grading *g, uint32_t site, uint32_t peer,
                           const struct mh_process **ret)
{
    unsigned all = 0, blind = 0;

    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (!t->error || !is_at(site, peer, t->site, t->peer))
            continue;
        all++;
        if (!t->blind)
            continue;
        if (!blind++)
            *ret = &g->m->processes.v[mh_grading_unit(g, t->unit)->process];
    }
    return blind * PROOF > all;
}

/* Does a process call from this place, of which no stack is known? `guessed`: only where it is a
 * guess, too, for which request a call was made. */
static bool lacks_stacks(const struct mh_grading *g, uint32_t site, uint32_t peer, bool guessed,
                         const struct mh_process **ret)
{
    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        unsigned all = 0, guesses = 0;

        for (size_t k = p->first_act; p->no_stacks && !p->baseline && k < p->first_act + p->nacts;
             k++) {
            const struct mh_act *a = &g->m->acts.v[k];

            if (a->kind == MH_ACT_log || !is_at(site, peer, a->site, a->peer))
                continue;
            all++;
            guesses += a->ambiguous;
        }
        if (!all || (guessed && guesses * PROOF <= all))
            continue;
        *ret = p;
        return true;
    }
    return false;
}

/* Of the requests that have to do with a place, are there such as nobody knows the answer of? */
static bool lacks_answers(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    unsigned all = 0, sealed = 0;

    for (size_t i = 0; g->m->sealed && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        bool here = !site && !peer && g->trials.n; /* of the run: where anything failed at all */

        if (u->command || g->m->processes.v[u->process].baseline)
            continue;
        for (uint32_t k = 0; k < u->nacts && !here; k++) {
            const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + k]];

            here = is_at(site, peer, a->site, a->peer);
        }
        all += here;
        sealed += here && u->sealed;
    }
    return sealed * PROOF > all;
}

/* What is lacking of these tiers at a place: NULL nothing. */
static const char *lacking(const struct mh_grading *g, uint32_t tiers, uint32_t site, uint32_t peer,
                           const struct mh_process **ret)
{
    *ret = NULL;
    if (((tiers & MH_TIER_S) && lacks_stacks(g, site, peer, false, ret)) ||
        ((tiers & MH_TIER_S_guess) && lacks_stacks(g, site, peer, true, ret)))
        return "stacks";
    if ((tiers & MH_TIER_X) && lacks_outcomes(g, site, peer, ret))
        return "outcomes";
    if ((tiers & MH_TIER_H) && lacks_answers(g, site, peer))
        return "answers";
    if ((tiers & MH_TIER_W) && !g->m->logs_seen)
        return "logs";
    if ((tiers & MH_TIER_K) && g->m->kernel.loaded <= 0)
        return "the kernel's word";
    return NULL;
}

static void say(const struct mh_grading *g, struct mh_judgement *j, const char *what,
                const struct mh_process *p)
{
    const char *missing = mh_model_text(g->m, g->m->kernel.missing);
    char buf[400];

    if (p)
        snprintf(buf, sizeof(buf), "%s (pid %d)", mh_model_text(g->m, p->lacks), p->pid);
    mh_reason(j, "needs %s, which this run lacks: %s", what,
              p              ? buf
              : *what == 'a' ? "what was answered behind TLS is not seen"
              : *what == 'l' ? "nothing was written to any log that could be seen"
              : *missing     ? missing
                             : "the kernel was not watched");
}

/* The tiers that this kind of verdict rests on. */
static uint32_t tiers_of(uint32_t tiers, enum mh_verdict_kind verdict)
{
    bool found = verdict == MH_VERDICT_fail || verdict == MH_VERDICT_partial;
    uint32_t ret =
        tiers & (MH_TIER_S | MH_TIER_S_guess | MH_TIER_X | MH_TIER_H | MH_TIER_W | MH_TIER_K);

    if (verdict == MH_VERDICT_not_exercised) /* these are about the run, and known without it */
        ret &= ~(uint32_t)(MH_TIER_W | MH_TIER_K);
    if (verdict == MH_VERDICT_unclear)
        return 0;
    if (!found && (tiers & MH_TIER_S_well))
        ret |= MH_TIER_S;
    /* what is told of a place may be another's, where calls were given to requests by guess */
    if (found && (tiers & MH_TIER_S_well))
        ret |= MH_TIER_S_guess;
    if (!found && (tiers & MH_TIER_X_well))
        ret |= MH_TIER_X;
    if (!found && (tiers & MH_TIER_H_well))
        ret |= MH_TIER_H;
    return ret;
}

void mh_judge_lacks(const struct mh_grading *g, struct mh_judgement *j, uint32_t tiers)
{
    const struct mh_process *p;
    const char *what = lacking(g, tiers, j->site, j->peer, &p);

    if (!what)
        return;
    j->verdict = MH_VERDICT_unclear;
    j->failed = 0;
    free(j->how);
    j->how = NULL;
    say(g, j, what, p);
}

int mh_tiers_apply(struct mh_grading *g, size_t from)
{
    const struct mh_process *p;
    bool unclear = false;
    const char *what;
    struct mh_judgement *j;

    for (size_t i = from; i < g->judgements.n; i++) {
        j = &g->judgements.v[i];
        /* of the run as a whole: what is lacking says more than that nothing could be told */
        mh_judge_lacks(
            g, j,
            tiers_of(g->rule->tiers, j->verdict == MH_VERDICT_unclear && !j->site && !j->peer
                                         ? MH_VERDICT_not_exercised
                                         : j->verdict));
        unclear |= j->verdict == MH_VERDICT_unclear;
    }
    /* places that it said nothing of, because it could not see what it looks for */
    what = lacking(g, tiers_of(g->rule->tiers, MH_VERDICT_not_exercised), 0, 0, &p);
    if (unclear || !what || g->judgements.n == from)
        return 0;
    j = mh_judge_file(g, MH_VERDICT_unclear, 0, 0, g->rule->nominal, MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    say(g, j, what, p);
    return j->reason ? 0 : -ENOMEM;
}

bool mh_ended_unseen(const struct mh_grading *g, struct mh_window w)
{
    for (size_t i = 0; i < g->m->processes.n && g->m->kernel.loaded <= 0; i++) {
        const struct mh_process *p = &g->m->processes.v[i];

        if (!p->baseline && !p->exited && !p->complete && !p->killed_at && p->last >= w.from &&
            p->last < w.to && mh_process_gone(g->m, p))
            return true;
    }
    return false;
}

uint32_t mh_facts_unsure(const struct mh_grading *g)
{
    const struct mh_process *p;

    return lacks_stacks(g, 0, 0, false, &p) ? BY_STACK & ~g->facts : 0;
}
