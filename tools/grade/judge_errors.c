/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what becomes of an error: MH-0101 it turns into an uncontrolled 500, MH-0103 it is
 * swallowed, MH-1001 it is handled without a word, MH-0501 one failed try fails the request,
 * MH-2001 the table of it all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

/* "ECONNRESET from redis:6379 (recv), injected by reset-redis" */
static const char *what_happened(const struct mh_grading *g, const struct mh_trial *t, char *buf,
                                 size_t size)
{
    const char *err = mh_name_err(t->kind, t->err);
    const char *where = t->peer ? mh_name_peer(g, t->peer) : mh_model_text(g->m, t->path);

    if (t->timed_out)
        err = "a timeout";
    else if (!err)
        err = t->effect - 1 == MH_EFFECT_delay       ? "a delay"
              : t->effect - 1 == MH_EFFECT_hang      ? "a hang"
              : t->effect - 1 == MH_EFFECT_blackhole ? "a black hole"
                                                     : "an early end";
    if (t->fault)
        snprintf(buf, size,
                 t->peer ? "%s in %s with %s, injected by %s" : "%s in %s of %s, injected by %s",
                 err, mh_op_rows[t->kind].name, *where ? where : "an unnamed peer",
                 mh_name_fault(g, t->fault));
    else
        snprintf(buf, size,
                 t->peer ? "%s in %s with %s, observed, not injected"
                         : "%s in %s of %s, observed, not injected",
                 err, mh_op_rows[t->kind].name, *where ? where : "an unnamed peer");
    return buf;
}

static void say_journey(const struct mh_grading *g, struct mh_judgement *j,
                        const struct mh_trial *t)
{
    const char *born = mh_model_text(g->m, t->type_born), *last = mh_model_text(g->m, t->type_last);
    char frame[400], types[400];

    if (!*born)
        return;
    if (strcmp(born, last))
        snprintf(types, sizeof(types), "%s became %s", born, last);
    else
        snprintf(types, sizeof(types), "%s", born);
    mh_name_frame(g, t->lost ? &t->lost_in : &t->handler, frame, sizeof(frame));
    if (t->caught)
        mh_sentence(j->evidence,
                    t->handler.kind == MH_FRAME_app
                        ? "%s, caught in %s"
                        : "%s, caught in %s, which is not the application's",
                    types, frame);
    else if (t->lost)
        mh_sentence(j->evidence, "%s, caught by nobody: lost in %s", types, frame);
    else
        mh_sentence(j->evidence, "%s, caught nowhere", types);
}

/* When this failure was at work; a real one, by what it hit at this place. */
static struct mh_window at_work(const struct mh_grading *g, const struct mh_trial *t)
{
    struct mh_window w = {INT64_MAX, INT64_MIN};

    if (t->fault)
        return (struct mh_window){g->m->faults.v[t->fault - 1].first,
                                  g->m->faults.v[t->fault - 1].last};
    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *o = &g->trials.v[i];
        int64_t at = g->m->acts.v[g->m->ops.v[o->op].act].at;

        if (o->fault || o->site != t->site || o->peer != t->peer || o->err != t->err)
            continue;
        w.from = MH_MIN(w.from, at);
        w.to = MH_MAX(w.to, at);
    }
    return w;
}

/* Share of a route's requests that failed while this fault was at work. */
static double route_share(const struct mh_grading *g, const struct mh_trial *t)
{
    struct mh_window w = at_work(g, t);
    uint32_t route = mh_grading_unit(g, t->unit)->route;
    unsigned all = 0, failed = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->route != route || u->ended < w.from || u->begun > w.to)
            continue;
        all++;
        failed += mh_unit_failed(u);
    }
    return all ? (double)failed / all : 0;
}

/* Says what failed and what did not, and the journey of an example. */
void mh_say_trials(const struct mh_grading *g, struct mh_judgement *j, const struct mh_tally *t,
                   const char *became)
{
    const struct mh_trial *example = &g->trials.v[j->trial - 1];
    char what[400];

    what_happened(g, example, what, sizeof(what));
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j, "%u of %u got through %s", t->fired - t->failed - t->partial, t->fired, what);
        return;
    }
    mh_sentence(j->evidence, "%u of %u %s after %s; %s, for one", t->failed + t->partial, t->fired,
                became, what, mh_name_route(g, example->unit));
    if (example->error)
        say_journey(g, j, example);
    if (t->failed + t->partial < t->fired)
        mh_sentence(j->counter, "%u of %u ended well", t->fired - t->failed - t->partial, t->fired);
}

int mh_tally_all(struct mh_grading *g, struct mh_tallies *tallies, mh_judge_value *value)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        double v = value(g, &g->trials.v[i]);

        if (v >= 0 && !mh_tally_trial(g, tallies, i, v))
            return -ENOMEM;
    }
    return 0;
}

int mh_judge_plain(struct mh_grading *g, const struct mh_plain_rule *rule)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, rule->value);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(g, t, rule->severity);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u of %u %s", t->fired - t->failed, t->fired, rule->held);
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t, rule->became);
    }
    /* the rule may have said something of its own before */
    if (!r && !tallies.list.n &&
        !(g->judgements.n && g->judgements.v[g->judgements.n - 1].rule == g->rule))
        r = mh_judge_none(g, MH_VERDICT_not_exercised, rule->none, rule->how);
    mh_tallies_done(&tallies);
    return r;
}

/* Did a unit meet an error, and its end says nothing of that? */
static bool any_untold(const struct mh_grading *g)
{
    for (size_t i = 0; i < g->trials.n; i++)
        if (g->trials.v[i].error && g->trials.v[i].outcome == MH_OUTCOME_unknown)
            return true;
    return false;
}

const char *mh_none_of_errors(const struct mh_grading *g, const char *none)
{
    return any_untold(g)
               ? "errors were injected, but how their units of work ended says nothing of them"
               : none;
}

/* ---- MH-0101 ---- */

/* Why there is no unit of work to judge. */
static const char *none_0101(const struct mh_grading *g)
{
    bool error = false, expected = false;

    for (size_t i = 0; i < g->trials.n; i++) {
        error |= g->trials.v[i].error || g->trials.v[i].answered;
        expected |= g->trials.v[i].error && g->trials.v[i].expected;
    }
    if (expected)
        return mh_none_of_errors(
            g, "each unit of work that met an error hung, or went down with its process");
    return error ? "only errors were injected that are a final answer, or that no network or disk "
                   "gives by itself"
                 : "no error was injected into a unit of work";
}

/* A command that says what failed and ends with a bad status, by whatever way out it takes. */
static bool ends_on_purpose(const struct mh_grading *g, const struct mh_trial *t)
{
    return t->logged &&
           ((t->caught && t->handler.kind == MH_FRAME_app) ||
            (t->translated && !strcmp(mh_model_text(g->m, t->type_last), "SystemExit")));
}

static double value_0101(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    if (!t->error || !t->expected || t->outcome == MH_OUTCOME_unknown ||
        t->outcome == MH_OUTCOME_collapsed)
        return MH_NOT_MINE;
    /* late, but with an answer that somebody decided on: how late is another rule's */
    if (t->outcome == MH_OUTCOME_hung)
        return !u->open && u->status > 0 && u->status != 500 ? 1 : MH_NOT_MINE;
    if (t->outcome != MH_OUTCOME_broke)
        return 1;
    if (u->command)
        return ends_on_purpose(g, t);
    /* caught by the application, and the body is an object of its own making: a documented error */
    return t->caught && t->handler.kind == MH_FRAME_app && u->nkeys > 0;
}

/* Did one of these break with an object for a body, and it is not known whose handler made it? */
static bool is_nobodys(const struct mh_grading *g, const struct mh_tally *tally)
{
    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (t->blind && t->site == tally->site && t->peer == tally->peer &&
            t->outcome == MH_OUTCOME_broke && mh_grading_unit(g, t->unit)->nkeys > 0)
            return true;
    }
    return false;
}

int mh_judge_0101(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0101);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        enum mh_severity severity = MH_SEVERITY_medium;
        struct mh_judgement *j;

        if (t->example && 2 * t->window >= t->fired &&
            route_share(g, &g->trials.v[t->example - 1]) >= 0.5)
            severity = MH_SEVERITY_high;
        j = mh_judge_tally(g, t, severity);
        if (!j)
            r = -ENOMEM;
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t, "ended in an uncontrolled error");
        if (j && is_nobodys(g, t))
            mh_judge_lacks(g, j, MH_TIER_X);
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, none_0101(g),
                          "[fault x] call = net.connect, error = ECONNREFUSED");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0103 ---- */

enum { FEW_TRIALS = 3 };

static double value_0103(struct mh_grading *g, const struct mh_trial *t)
{
    if (!t->error || t->outcome == MH_OUTCOME_unknown)
        return MH_NOT_MINE;
    if (mh_trial_swallowed(t, mh_grading_unit(g, t->unit)) ||
        (t->caught && t->handler.kind == MH_FRAME_app && !t->retried && !t->fallback &&
         mh_trial_hollow(g, t)))
        return 0;
    if (t->caught && t->handler.kind == MH_FRAME_app)
        return 1;
    if (t->outcome == MH_OUTCOME_absorbed || t->outcome == MH_OUTCOME_degraded)
        return t->logged ? 1 : MH_NOT_MINE;
    return t->outcome == MH_OUTCOME_refused ? 1 : MH_NOT_MINE;
}

/* It rests on what was not seen. Of one or two that may be other requests', the log, the new try
 * and the other way may be theirs, too. */
static void doubt_0103(struct mh_judgement *j, const struct mh_tally *t)
{
    j->verdict = MH_VERDICT_unclear;
    mh_reason(j,
              "%u of %u seem to have been swallowed, but to which request they belong is only "
              "likely",
              t->failed, t->fired);
}

int mh_judge_0103(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0103);
    bool errors = false;

    for (size_t i = 0; i < g->trials.n; i++)
        errors |= g->trials.v[i].error || g->trials.v[i].answered;
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j =
            mh_judge_tally(g, t, 2 * t->write >= t->fired ? MH_SEVERITY_high : MH_SEVERITY_medium);

        if (j && !t->peer)
            j->type = MH_FRAGILITY_persistence; /* a file it was */
        if (!j)
            r = -ENOMEM;
        else if (t->failed && t->fired < FEW_TRIALS && 2 * t->ambiguous > t->fired)
            doubt_0103(j, t);
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t,
                          "were caught, and nothing came of it: no log, no new try, no other way");
    }
    if (!r && !tallies.list.n && errors && !g->m->steps_seen)
        r = mh_judge_none(g, MH_VERDICT_unclear,
                          "what became of the exceptions could not be followed", NULL);
    else if (!r && !tallies.list.n)
        r = mh_judge_none(
            g, MH_VERDICT_not_exercised,
            errors ? mh_none_of_errors(g, "no injected error was caught by the application")
                   : "no error was injected into a unit of work",
            NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-1001 ---- */

static double value_1001(struct mh_grading *g, const struct mh_trial *t)
{
    bool late = t->outcome == MH_OUTCOME_hung;

    if (!t->error || t->outcome == MH_OUTCOME_unknown || t->outcome == MH_OUTCOME_broke ||
        t->outcome == MH_OUTCOME_collapsed)
        return MH_NOT_MINE;
    /* given up, and answered, if late: somebody decided something; of the others only what was told
     * is known */
    if (late && (!t->timed_out || !t->logged || mh_grading_unit(g, t->unit)->open))
        return MH_NOT_MINE;
    /* what a library mends by itself is not the application's to report */
    if (!t->logged && (t->retry_ok || t->moved) && !(t->caught && t->handler.kind == MH_FRAME_app))
        return MH_NOT_MINE;
    return t->logged ? 1 : 0;
}

static enum mh_verdict_kind verdict_1001(const struct mh_tally *t)
{
    if (2 * t->failed >= t->fired)
        return MH_VERDICT_fail;
    return 10 * t->failed >= t->fired ? MH_VERDICT_partial : MH_VERDICT_pass;
}

/* Where requests wait for each other on one loop, a record is easily taken for another request's:
 * with as many records of this failure as there were failures, none is known to be silent. */
static bool all_told(const struct mh_grading *g, const struct mh_tally *t)
{
    return t->failed && mh_trials_told(g, t->site, t->peer) >= t->fired;
}

static int file_1001(struct mh_grading *g, const struct mh_tally *t)
{
    enum mh_verdict_kind verdict = verdict_1001(t);
    struct mh_judgement *j;

    /* a few that were given to the wrong request look silent, because its log is another's */
    if ((verdict == MH_VERDICT_partial || (verdict == MH_VERDICT_fail && t->fired < 3)) &&
        2 * t->ambiguous > t->fired)
        verdict = MH_VERDICT_unclear;
    if (verdict != MH_VERDICT_pass && all_told(g, t))
        verdict = MH_VERDICT_unclear;
    /* one of several: threads that write at once share a write(), and its record is one of them's
     */
    if (verdict == MH_VERDICT_partial && t->failed == 1)
        verdict = MH_VERDICT_unclear;
    j = mh_judge_file(g, verdict, t->site, t->peer,
                      2 * t->write >= t->fired ? MH_SEVERITY_high : MH_SEVERITY_medium,
                      mh_tally_confidence(t));

    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = t->failed;
    j->observed = t->real > 0;
    j->trial = t->example ? t->example : t->passed;
    if (verdict == MH_VERDICT_unclear)
        mh_reason(
            j,
            "%u of %u seem to have gone unreported, but which record belongs to which request "
            "is only likely",
            t->failed, t->fired);
    else if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u handled failures were reported", t->fired - t->failed, t->fired);
    else
        mh_say_trials(g, j, t,
                      "were handled, and no log named exception, errno or peer within 5 s,");
    return 0;
}

int mh_judge_1001(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_1001);

    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = file_1001(g, &tallies.list.v[i]);
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          mh_none_of_errors(g, "no failure was handled"), NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0501 ---- */

static double value_0501(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    if (!t->one_shot || !t->presend || !t->safe || !t->error || !t->expected || !t->peer ||
        t->outcome == MH_OUTCOME_unknown || t->outcome == MH_OUTCOME_silent)
        return MH_NOT_MINE;
    /* tried again with success, and late: how late is another rule's */
    if (t->outcome == MH_OUTCOME_hung && t->retry_ok)
        return !u->open && u->status > 0 && u->status < 400 ? 1 : MH_NOT_MINE;
    return t->outcome == MH_OUTCOME_absorbed || t->outcome == MH_OUTCOME_degraded;
}

int mh_judge_0501(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0501);

    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (value_0501(g, t) == 0 && t->outcome == MH_OUTCOME_refused &&
            mh_grading_unit(g, t->unit)->retry_after >= 0)
            mh_tally_of(&tallies, t->site, t->peer)->polite++;
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(
            g, t, t->failed && t->polite == t->failed ? MH_SEVERITY_low : MH_SEVERITY_medium);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t, "failed although the next try would have gone through,");
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no single failure before sending was injected into a safe operation",
                          "[fault x] call = net.connect, error = ECONNREFUSED, every = 10");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-2001: a table, not a verdict; the document makes it ---- */

int mh_judge_2001(struct mh_grading *g)
{
    return 0;
}
