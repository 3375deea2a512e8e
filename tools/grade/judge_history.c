/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the tests themselves: MH-0901 how much of what could fail was made to, MH-0902
 * whether a pipeline stops for what is found, MH-0903 how old the last full run is. One run knows
 * little of the others: what it cannot know is unclear, and no finding. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { MONTH_DAYS = 30, DAY_S = 86400, PEER_SHAPES = 3, FILE_SHAPES = 1 };
enum { ENOUGH_PERCENT = 80, SOME_PERCENT = 40 };

/* What can happen to a call of a peer: one failure, a time of failures, slowness. To a file: an
 * error. */
enum shape { ONE_SHOT, WINDOW, SLOW, FILE_ERROR };

struct cover {
    struct mh_map places, judged; /* by site and peer or path; and by shape */
    unsigned possible, tested;
};

static uint64_t place(uint32_t site, uint32_t peer, uint32_t path)
{
    return mh_mix2(mh_mix2(site, peer), path);
}

static int find_places(const struct mh_grading *g, struct cover *c)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        bool file = a->kind == MH_ACT_file;
        uint64_t key = place(a->site, a->peer, file ? a->file.path : 0);

        if (!a->unit || !a->site || !g->m->units.v[a->unit - 1].calm ||
            !(file || (a->kind == MH_ACT_attempt && a->peer)) ||
            mh_map_get(&c->places, key) != MH_MAP_NONE)
            continue;
        c->possible += file ? FILE_SHAPES : PEER_SHAPES;
        if (mh_map_set(&c->places, key, 1))
            return -ENOMEM;
    }
    return 0;
}

static enum shape shape_of(const struct mh_trial *t)
{
    if (!t->peer)
        return FILE_ERROR;
    if (t->error && !t->timed_out)
        return t->one_shot ? ONE_SHOT : WINDOW;
    return SLOW;
}

static int find_tested(const struct mh_grading *g, struct cover *c)
{
    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        uint64_t at = place(t->site, t->peer, t->peer ? 0 : t->path);
        uint64_t key = mh_mix2(at, shape_of(t));

        if (!t->fault || t->outcome == MH_OUTCOME_unknown ||
            mh_map_get(&c->places, at) == MH_MAP_NONE || mh_map_get(&c->judged, key) != MH_MAP_NONE)
            continue;
        c->tested++;
        if (mh_map_set(&c->judged, key, 1))
            return -ENOMEM;
    }
    return 0;
}

/* Returns 0 or -ENOMEM. */
static int cover(const struct mh_grading *g, struct cover *ret)
{
    int r;

    *ret = (struct cover){0};
    r = find_places(g, ret);
    if (!r)
        r = find_tested(g, ret);
    mh_map_done(&ret->places);
    mh_map_done(&ret->judged);
    ret->tested = MH_MIN(ret->tested, ret->possible);
    return r;
}

static bool is_full(const struct cover *c)
{
    return c->possible && 100 * c->tested >= ENOUGH_PERCENT * c->possible;
}

static struct mh_judgement *file(struct mh_grading *g, enum mh_verdict_kind verdict)
{
    return mh_judge_file(g, verdict, 0, 0, MH_SEVERITY_low, MH_CONFIDENCE_medium);
}

/* ---- MH-0901 ---- */

int mh_judge_0901(struct mh_grading *g)
{
    const struct mh_past *past = g->options->past;
    bool meant_full = past && past->plan && !strcmp(past->plan, "full");
    struct mh_judgement *j;
    struct cover c;

    if (cover(g, &c))
        return -ENOMEM;
    if (!g->m->fired)
        return mh_judge_none(g, MH_VERDICT_not_exercised, "no fault fired",
                             "mishap run --plan full -- COMMAND");
    if (!c.possible)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "what could be tested is not known: in calm times no request called "
                             "anybody",
                             "a longer [phase calm]");
    j = file(g, is_full(&c)                                   ? MH_VERDICT_pass
                : !meant_full                                 ? MH_VERDICT_unclear
                : 100 * c.tested >= SOME_PERCENT * c.possible ? MH_VERDICT_partial
                                                              : MH_VERDICT_fail);
    if (!j)
        return -ENOMEM;
    j->fired = c.possible;
    j->failed = j->verdict == MH_VERDICT_pass ? 0 : c.possible - c.tested;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u cases were judged: calls by place, and what can happen to each",
                  c.tested, c.possible);
    else if (j->verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "this run judged %u of %u cases, and was not meant to be a full one: others may "
                  "have judged the rest",
                  c.tested, c.possible);
    else
        mh_sentence(j->evidence,
                    "%u of %u cases were judged by a plan for all of them: calls by place, and "
                    "what can happen to each",
                    c.tested, c.possible);
    return 0;
}

/* ---- MH-0902 ---- */

int mh_judge_0902(struct mh_grading *g)
{
    const struct mh_past *past = g->options->past;
    struct mh_judgement *j;

    if (!past || !past->known)
        return mh_judge_none(g, MH_VERDICT_unclear, "how the run was started is not known", NULL);
    if (!past->pipeline || !past->gate)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             past->pipeline ? "made by a pipeline, which may stop at a later step: "
                                              "mishap report --fail-on"
                                            : "not made by a pipeline, whose runs this one does "
                                              "not know",
                             "mishap run --fail-on high --baseline report.json -- COMMAND, in CI");
    j = file(g, past->compared ? MH_VERDICT_pass : MH_VERDICT_partial);
    if (!j)
        return -ENOMEM;
    if (past->compared)
        mh_reason(j, "made by a pipeline (%s) that stops for what is new or worse", past->pipeline);
    else
        mh_sentence(j->evidence,
                    "made by a pipeline (%s) that stops for findings, but without an earlier "
                    "report: what is new cannot be told from what is old",
                    past->pipeline);
    return 0;
}

/* ---- MH-0903 ---- */

static int64_t days_between(const struct mh_grading *g, const char *started)
{
    struct tm tm = {0};
    int64_t now = (g->m->first ? g->m->first : g->m->origin) / 1000000000;

    if (!started || !strptime(started, "%Y-%m-%dT%H:%M:%SZ", &tm) || now <= 0)
        return -1;
    return (now - (int64_t)timegm(&tm)) / DAY_S;
}

/* Since the last full run before this one; -1: none is known. */
static int64_t days_since_full(const struct mh_grading *g, const struct mh_past *past)
{
    int64_t least = -1;

    for (size_t i = 0; past && past->full && past->full[i]; i++) {
        int64_t days = days_between(g, past->full[i]);

        if (days >= 0 && (least < 0 || days < least))
            least = days;
    }
    return least;
}

int mh_judge_0903(struct mh_grading *g)
{
    const struct mh_past *past = g->options->past;
    struct mh_judgement *j;
    struct cover c;
    int64_t days;

    if (cover(g, &c))
        return -ENOMEM;
    days = days_since_full(g, past);
    if (!is_full(&c) && days < 0)
        return mh_judge_none(
            g, MH_VERDICT_unclear,
            past && (past->compared || past->kept)
                ? "neither this run nor an earlier one that is known was a full one"
                : "this run was no full one, and of earlier ones nothing is known",
            "mishap run --plan full --history history.json -- COMMAND");
    j = file(g, is_full(&c) || days <= MONTH_DAYS ? MH_VERDICT_pass : MH_VERDICT_fail);
    if (!j)
        return -ENOMEM;
    j->fired = 1;
    j->failed = j->verdict == MH_VERDICT_fail;
    if (j->verdict == MH_VERDICT_fail)
        mh_sentence(j->evidence, "the last full run that is known was made %d days before this one",
                    (int)days);
    else if (is_full(&c))
        mh_reason(j, "this run judged %u of %u cases, and so is a full one", c.tested, c.possible);
    else
        mh_reason(j, "a full run was made %d days before this one", (int)days);
    return 0;
}
