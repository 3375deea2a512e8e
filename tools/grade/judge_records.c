/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about records and where they go: MH-1002 they say nothing of the failure, MH-1004 their
 * sinks stand in the requests' way. */
#include <errno.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t slower_ns = 100000000;

/* ---- MH-1002 ---- */

static double value_1002(struct mh_grading *g, const struct mh_trial *t)
{
    if (!t->error || !t->logged || t->outcome == MH_OUTCOME_unknown ||
        t->outcome == MH_OUTCOME_collapsed)
        return MH_NOT_MINE;
    return mh_trial_context(g, t);
}

int mh_judge_1002(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_1002);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(g, t, MH_SEVERITY_low);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u of %u records say what failed", t->fired - t->failed, t->fired);
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t,
                          "were recorded without exception, errno, peer, traceback or request id");
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "no failure was recorded", NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-1004 ---- */

bool mh_is_sink(const struct mh_grading *g, uint32_t peer, uint32_t text)
{
    const char *path = mh_model_text(g->m, text);
    size_t n = strlen(path);

    if (peer)
        return g->m->peers.v[peer - 1].role == MH_ROLE_telemetry;
    return (n > 4 && !strcmp(path + n - 4, ".log")) || !strncmp(path, "/var/log/", 9) ||
           !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/stderr") ||
           !strcmp(path, "/dev/log");
}

static double value_1004(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_route *r = &g->m->routes.v[u->route - 1];
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    bool held = o->effect - 1 == MH_EFFECT_delay || mh_effect_silent(o->effect);

    if (!mh_is_sink(g, t->peer, t->path) || u->command || r->calm < 3 || t->answered ||
        t->outcome == MH_OUTCOME_unknown)
        return MH_NOT_MINE;
    /* slower than it ever is, by no less than half of what one record was held up */
    if (held && !u->open && u->latency > r->calm_p99 + MH_MAX(slower_ns, o->delay / 2))
        return 0;
    return t->outcome == MH_OUTCOME_absorbed || t->outcome == MH_OUTCOME_degraded ||
           t->outcome == MH_OUTCOME_silent;
}

/* A sink that only the background has to do with, in trouble; and what requests felt of it. */
struct aside {
    unsigned hits, units, bad;
    uint32_t site, peer, stack;
    int64_t from, to;
};

enum { FEW_HITS = 3, FEW_REQUESTS = 10 };

static void look_aside(const struct mh_grading *g, struct aside *ret)
{
    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];

        if (!o->fault || a->unit || !mh_is_sink(g, a->peer, o->path) ||
            mh_effect_untold(o->effect) /* nobody can feel it */ || (o->err && mh_op_asks(o->kind)))
            continue;
        ret->from = ret->hits++ ? MH_MIN(ret->from, a->at) : a->at;
        ret->to = MH_MAX(ret->to, a->until);
        ret->site = a->site;
        ret->peer = a->peer;
        ret->stack = a->stack;
    }
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_route *r = &g->m->routes.v[u->route - 1];

        if (!ret->hits || u->command || u->open || u->touched || r->calm < 3 ||
            u->begun < ret->from || u->begun > ret->to)
            continue;
        ret->units++;
        ret->bad += (mh_unit_failed(u) && !r->calm_failed) || u->latency > r->calm_p99 + slower_ns;
    }
}

/* Records that a thread of its own delivers are in nobody's way: that is seen while the sink is in
 * trouble and requests go on as ever. Returns 1 when that was filed. */
static int file_aside(struct mh_grading *g)
{
    struct aside aside = {.hits = 0};
    struct mh_judgement *j;

    for (size_t i = 0; i < g->trials.n; i++)
        if (value_1004(g, &g->trials.v[i]) >= 0)
            return 0;
    look_aside(g, &aside);
    if (aside.hits < FEW_HITS || aside.units < FEW_REQUESTS || 10 * aside.bad > aside.units)
        return 0;
    j = mh_judge_file(g, MH_VERDICT_pass, aside.site, aside.peer, MH_SEVERITY_high,
                      MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = aside.units;
    j->stack = aside.stack;
    mh_reason(
        j, "%u requests went on as ever while a sink of records was in trouble in the background",
        aside.units - aside.bad);
    return 1;
}

int mh_judge_1004(struct mh_grading *g)
{
    static const struct mh_plain_rule rule = {
        .value = value_1004,
        .severity = MH_SEVERITY_high,
        .held = "requests did not feel the fault of a sink of records",
        .became = "failed, or were late, with a sink of records,",
        .none = "no fault hit a telemetry peer or a log file in a request",
        .how = "[fault x] call = write, path = **.log, delay = 500ms",
    };

    int r = file_aside(g);

    return r ? MH_MIN(r, 0) : mh_judge_plain(g, &rule);
}
