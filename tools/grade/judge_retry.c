/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about trying again: MH-0502 without a pause, MH-0503 without an end. */
#include <errno.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { HASTY_ATTEMPTS = 3, MANY_ATTEMPTS = 10, NO_CAP = 90, LONG_ATTEMPTS = 20 };
static const int64_t pause_ns = 50000000;

/* Was the peer asked from elsewhere in the unit after that, as on a connection that a pool still
 * had, and did it answer? Then nobody had given up. */
static bool got_through(const struct mh_grading *g, const struct mh_sequence *s)
{
    const struct mh_unit *u = mh_grading_unit(g, s->unit);

    for (uint32_t i = u->nacts; i-- > 0;) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->at < s->last)
            return false;
        if (a->kind == MH_ACT_attempt && a->peer == s->peer && a->answered && !a->failed)
            return true;
    }
    return false;
}

/* A sequence that failed to its end shows that tries do end, and how they were spaced. */
static bool conclusive(const struct mh_grading *g, const struct mh_sequence *s)
{
    return s->exhausted && s->ended && s->unit && !got_through(g, s);
}

/* Places where something was tried again. */
static int learn_many(const struct mh_grading *g, struct mh_map *ret)
{
    int r = 0;

    for (size_t i = 0; i < g->sequences.n && !r; i++)
        if (g->sequences.v[i].attempts >= HASTY_ATTEMPTS)
            r = mh_map_set(ret, mh_mix2(g->sequences.v[i].site, g->sequences.v[i].peer), 1);
    return r;
}

/* One try, where others try again: it had another reason to end (an error that is not tried again,
 * a deadline), and says nothing of how tries are spaced or end. */
static bool is_single(const struct mh_map *many, const struct mh_sequence *s)
{
    return s->attempts == 1 && mh_map_get(many, mh_mix2(s->site, s->peer)) != MH_MAP_NONE;
}

static int count(struct mh_tallies *tallies, const struct mh_sequence *s, bool failed)
{
    struct mh_tally *t = mh_tally_of(tallies, s->site, s->peer);

    if (!t)
        return -ENOMEM;
    t->fired++;
    t->failed += failed;
    t->ambiguous += s->ambiguous;
    t->worst = MH_MAX(t->worst, (int64_t)s->attempts);
    return 0;
}

/* The worst sequence of a tally: the one that its judgement tells of. */
static const struct mh_sequence *worst_of(const struct mh_grading *g, const struct mh_tally *t)
{
    const struct mh_sequence *worst = NULL;

    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (s->site == t->site && s->peer == t->peer && (!worst || s->attempts > worst->attempts))
            worst = s;
    }
    return worst;
}

/* A trial of this site and peer, for stack and handler. */
static uint32_t trial_at(const struct mh_grading *g, const struct mh_tally *t)
{
    for (uint32_t i = 0; i < g->trials.n; i++)
        if (g->trials.v[i].site == t->site && g->trials.v[i].peer == t->peer)
            return i + 1;
    return 0;
}

static struct mh_judgement *file(struct mh_grading *g, const struct mh_tally *t,
                                 enum mh_severity severity, unsigned proof)
{
    enum mh_verdict_kind verdict = mh_tally_verdict(t);
    enum mh_confidence confidence = mh_tally_confidence(t);
    struct mh_judgement *j;

    /* many tries in one sequence prove by themselves what many sequences would */
    if (verdict == MH_VERDICT_fail && t->worst >= proof && confidence == MH_CONFIDENCE_low)
        confidence = MH_CONFIDENCE_medium;
    j = mh_judge_file(g, verdict, t->site, t->peer, severity, confidence);
    if (!j)
        return NULL;
    j->fired = t->fired;
    j->failed = t->failed;
    j->trial = trial_at(g, t);
    j->stack = worst_of(g, t)->stack;
    return j;
}

/* ---- MH-0502 ---- */

static bool hasty(const struct mh_sequence *s)
{
    return s->attempts >= HASTY_ATTEMPTS && s->median_wait < pause_ns;
}

static int tally_0502(struct mh_grading *g, const struct mh_map *many, struct mh_tallies *tallies)
{
    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (s->attempts < HASTY_ATTEMPTS && (!conclusive(g, s) || is_single(many, s)))
            continue;
        if (count(tallies, s, hasty(s)))
            return -ENOMEM;
    }
    return 0;
}

int mh_judge_0502(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    struct mh_map retried = {0};
    int r = learn_many(g, &retried);

    if (!r)
        r = tally_0502(g, &retried, &tallies);
    mh_map_done(&retried);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        const struct mh_sequence *s = worst_of(g, t);
        bool many = s->attempts >= MANY_ATTEMPTS;
        struct mh_judgement *j =
            file(g, t, many ? MH_SEVERITY_high : MH_SEVERITY_medium, MANY_ATTEMPTS);

        if (!j) {
            r = -ENOMEM;
        } else if (j->verdict == MH_VERDICT_pass) {
            if (s->attempts < HASTY_ATTEMPTS)
                mh_reason(j, "%u %s at most, then it gave up", s->attempts,
                          s->attempts == 1 ? "try" : "tries");
            else
                mh_reason(j, "%u tries at most, %s apart", s->attempts, MH_SPAN(s->median_wait));
        } else {
            mh_sentence(j->evidence, "%u attempts at %s in %s, median %s %s between them; %s",
                        s->attempts, mh_name_peer(g, t->peer), MH_SPAN(s->last - s->first),
                        s->requested ? "requested wait" : "gap", MH_SPAN(s->median_wait),
                        mh_name_route(g, s->unit));
            mh_sentence(j->evidence, "%u of %u sequences of tries had no pause", t->failed,
                        t->fired);
        }
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "nothing failed for long enough to show how tries are spaced",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 10s");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0503 ---- */

/* A consumer must reconnect for ever; that it pauses a second or more is all that can be asked. */
static bool patient_consumer(const struct mh_grading *g, const struct mh_sequence *s)
{
    bool consumer = !s->unit || mh_grading_unit(g, s->unit)->command;

    return consumer && s->median_wait >= second;
}

static bool endless(const struct mh_grading *g, const struct mh_sequence *s)
{
    int64_t deadline =
        s->unit ? g->m->routes.v[mh_grading_unit(g, s->unit)->route - 1].deadline : second;

    if (patient_consumer(g, s))
        return false;
    if (s->attempts >= NO_CAP)
        return true;
    return s->unit && s->attempts >= LONG_ATTEMPTS &&
           s->last - s->first >= MH_MAX(60 * second, 5 * deadline);
}

int mh_judge_0503(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    struct mh_map retried = {0};
    int r = learn_many(g, &retried);

    for (size_t i = 0; i < g->sequences.n && !r; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (endless(g, s) || (conclusive(g, s) && !is_single(&retried, s)))
            r = count(&tallies, s, endless(g, s));
    }
    mh_map_done(&retried);
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        const struct mh_sequence *s = worst_of(g, t);
        struct mh_judgement *j = file(g, t, MH_SEVERITY_high, LONG_ATTEMPTS);

        if (!j) {
            r = -ENOMEM;
        } else if (j->verdict == MH_VERDICT_pass && t->failed) {
            j->verdict = MH_VERDICT_unclear;
            mh_reason(j,
                      "%u of %u sequences of tries went on for too long; the others ended sooner",
                      t->failed, t->fired);
        } else if (j->verdict == MH_VERDICT_pass) {
            mh_reason(j, "%u %s at most, then it gave up", s->attempts,
                      s->attempts == 1 ? "try" : "tries");
        } else {
            mh_sentence(j->evidence, "%u attempts at %s in one unit of work (%s) over %s, and %s",
                        s->attempts, mh_name_peer(g, t->peer), mh_name_route(g, s->unit),
                        MH_SPAN(s->last - s->first),
                        s->exhausted ? "the last one failed, too" : "only success ended it");
        }
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no peer failed for so long that tries had to end",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 60s");
    mh_tallies_done(&tallies);
    return r;
}
