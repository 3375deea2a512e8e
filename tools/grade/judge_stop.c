/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2017: asked to end while a fault is at work, the application ends within the patience of an
 * orchestrator, and answers first what it has begun. */
#include <errno.h>
#include <signal.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { GRACE_S = 30 };

static const char how_to_stop[] =
    "mishap run --grace 35s --for TIME, so that it ends under load while a fault is at work";

/* What became of the requests that were in flight when it was asked to end. */
struct flight {
    unsigned answered, cut;
    unsigned hopeless; /* hit by the fault, and past their deadline when they were cut */
    uint32_t example;  /* unit plus 1 that was cut */
    int64_t age;       /* of that one */
};

static void look(const struct mh_grading *g, int64_t at, struct flight *f)
{
    for (uint32_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        int64_t end = MH_MAX(u->ended, at);

        if (u->kind != MH_UNIT_request || g->m->processes.v[u->process].baseline || u->begun > at ||
            (!u->open && u->ended <= at) || (!u->open && u->how == 1))
            continue;
        if (!u->open && u->how == 0)
            f->answered++;
        else if (u->faulted && end - u->begun >= g->m->routes.v[u->route - 1].deadline)
            f->hopeless++;
        else {
            f->cut++;
            f->example = f->example ? f->example : i + 1;
            f->age = f->age ? f->age : end - u->begun;
        }
    }
}

static void say(const struct mh_grading *g, struct mh_judgement *j, const struct flight *f,
                int64_t took, bool killed)
{
    if (took > GRACE_S * second)
        mh_sentence(j->evidence,
                    "asked to end by SIGTERM while a fault was at work, it %s %s later",
                    killed ? "was still there and had to be killed" : "ended", MH_SPAN(took));
    if (f->cut)
        mh_sentence(j->evidence,
                    "%u of %u requests in flight at SIGTERM got no answer; %s was cut after %s",
                    f->cut, f->cut + f->answered, mh_name_route(g, f->example), MH_SPAN(f->age));
    if (f->answered && j->verdict != MH_VERDICT_pass)
        mh_sentence(j->counter, "%u requests in flight were answered", f->answered);
    if (f->hopeless)
        mh_sentence(j->counter, "%u requests that the fault held past their deadline are left out",
                    f->hopeless);
}

static int file(struct mh_grading *g, const struct flight *f, int64_t took, bool killed)
{
    struct mh_tally t = {.fired = f->answered + f->cut, .failed = f->cut};
    bool slow = took > GRACE_S * second;
    enum mh_verdict_kind verdict = slow      ? MH_VERDICT_fail
                                   : t.fired ? mh_tally_verdict(&t)
                                             : MH_VERDICT_pass;
    struct mh_judgement *j;

    if (!slow && killed)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "it was killed before 30 s were over, and might have ended by itself",
                             how_to_stop);
    if (!t.fired && !f->hopeless && !slow)
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "no request was in flight when it was asked to end", how_to_stop);
    j = mh_judge_file(g, verdict, 0, 0, MH_SEVERITY_medium,
                      slow ? MH_CONFIDENCE_high : mh_tally_confidence(&t));
    if (!j)
        return -ENOMEM;
    j->fired = slow ? 1 : t.fired + f->hopeless;
    j->failed = slow ? 1 : t.failed;
    if (verdict == MH_VERDICT_pass)
        mh_reason(j, "it ended %s after SIGTERM, and %u of %u requests in flight were answered",
                  MH_SPAN(took), f->answered, t.fired);
    say(g, j, f, took, killed);
    return 0;
}

int mh_judge_2017(struct mh_grading *g)
{
    const struct mh_stop_seen *asked = g->m->stops.n ? &g->m->stops.v[0] : NULL;
    struct flight f = {.answered = 0};
    bool killed = g->m->stops.n > 1;

    if (!asked || asked->signal != SIGTERM)
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "it was not asked to end by SIGTERM, under load", how_to_stop);
    if (!mh_model_fault_active(g->m, asked->at))
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "no fault was at work when it was asked to end", how_to_stop);
    if (!g->m->child_ended)
        return mh_judge_none(g, MH_VERDICT_unclear, "when it ended is not known", NULL);
    look(g, asked->at, &f);
    return file(g, &f, g->m->child_ended - asked->at, killed);
}
