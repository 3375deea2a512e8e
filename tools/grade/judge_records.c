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

/* Where records go: a telemetry peer, a file that is named so, the standard streams. */
static bool is_sink(const struct mh_grading *g, const struct mh_trial *t)
{
    const char *path = mh_model_text(g->m, t->path);
    size_t n = strlen(path);

    if (t->peer)
        return g->m->peers.v[t->peer - 1].role == MH_ROLE_telemetry;
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

    if (!is_sink(g, t) || u->command || r->calm < 3 || t->outcome == MH_OUTCOME_unknown)
        return MH_NOT_MINE;
    /* slower than it ever is, by no less than half of what one record was held up */
    if (held && !u->open && u->latency > r->calm_p99 + MH_MAX(slower_ns, o->delay / 2))
        return 0;
    return t->outcome == MH_OUTCOME_absorbed || t->outcome == MH_OUTCOME_degraded ||
           t->outcome == MH_OUTCOME_silent;
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

    return mh_judge_plain(g, &rule);
}
