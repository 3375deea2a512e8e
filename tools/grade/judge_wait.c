/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0601: a request is awaited without a limit. Direct proof: the limit that the wait asked for.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t blocked_ns = 100000000;
static const int64_t long_hang_ns = INT64_C(30000000000);

/* ---- MH-0601 ---- */

static uint64_t place(uint32_t site, uint32_t peer)
{
    return mh_mix2(site, peer);
}

/* Was this very wait prolonged by a fault? Without phases a fault is in force from the first that
 * it hits, which a wait may precede by a little. */
static bool is_held(const struct mh_grading *g, const struct mh_act *a)
{
    int64_t until = a->kind == MH_ACT_waited ? a->at + a->wait.waited : INT64_MAX;
    int64_t slack = blocked_ns / 10; /* a fault is on record before the wait that it makes */

    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_act *o = &g->m->acts.v[g->m->ops.v[i].act];

        if (g->m->ops.v[i].fault && a->conn && o->conn == a->conn && o->until >= a->at - slack &&
            o->at <= until)
            return true;
    }
    return mh_model_fault_active(g->m, a->at);
}

/* Places where a consumer waits by design: long without any fault, in the run of a command. */
static int find_idle(const struct mh_grading *g, struct mh_map *idle)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        const struct mh_unit *u = a->unit ? &g->m->units.v[a->unit - 1] : NULL;
        bool is_long = false;

        if (!u || !u->command)
            continue;
        if (a->kind == MH_ACT_waited)
            is_long = a->wait.waited >= second && !is_held(g, a);
        /* the last thing that was heard of it: it waited when the recording ended */
        else if (a->kind == MH_ACT_wait && a->pending)
            is_long = u->ended - a->at >= 5 * second && a->attempt_of &&
                      !g->m->acts.v[a->attempt_of - 1].answered && !is_held(g, a);
        if (is_long && mh_map_set(idle, place(a->site, a->peer), 1))
            return -ENOMEM;
    }
    return 0;
}

/* Waits for an answer within a unit of work, and whether they had a limit. */
static int tally_waits(const struct mh_grading *g, struct mh_tallies *tallies,
                       const struct mh_map *idle)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        bool unlimited = a->kind == MH_ACT_wait && a->wait.timeout == -1 && !a->wait.user_limit;
        struct mh_tally *t;

        if (a->kind != MH_ACT_wait || a->loop || a->connecting || !a->pending || !a->unit ||
            !a->peer || a->wait.timeout < -1 || mh_is_pace(g, a))
            continue;
        if (g->m->units.v[a->unit - 1].command && mh_map_get(idle, place(a->site, a->peer)) == 1)
            continue;
        t = mh_tally_act(tallies, a, unlimited);
        if (!t)
            return -ENOMEM;
        t->partial += a->wait.timeout == -1 && a->wait.user_limit;
        if (a->wait.timeout >= 0)
            t->worst = MH_MAX(t->worst, a->wait.timeout);
        if (!t->example || (unlimited && t->failed == 1)) /* the first that shows it */
            t->example = (uint32_t)i + 1;                 /* an act here, not a trial */
    }
    return 0;
}

/* The longest that anybody stood waiting there. */
static int64_t longest_wait(const struct mh_grading *g, const struct mh_tally *t)
{
    int64_t longest = 0;

    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_waited && a->site == t->site && a->peer == t->peer)
            longest = MH_MAX(longest, a->wait.waited);
    }
    return longest;
}

static void rate_type(const struct mh_grading *g, struct mh_judgement *j)
{
    if (g->m->peers.v[j->peer - 1].role == MH_ROLE_db)
        j->type = MH_FRAGILITY_persistence;
}

struct stalled {
    struct mh_stall all;
    struct mh_map places;
};

/* No limit of their own, but a hang showed that something else ends them. */
static int file_cut(struct mh_grading *g, const struct mh_tally *t, const struct mh_cuts *cuts)
{
    bool sure = cuts->cut >= MH_CUTS_SURE;
    struct mh_judgement *j =
        mh_judge_file(g, sure ? MH_VERDICT_pass : MH_VERDICT_unclear, t->site, t->peer,
                      MH_SEVERITY_high, sure ? MH_CONFIDENCE_medium : MH_CONFIDENCE_low);

    if (!j)
        return -ENOMEM;
    rate_type(g, j);
    j->fired = t->fired;
    j->stack = g->m->acts.v[t->example - 1].stack;
    mh_reason(
        j,
        "%u of %u waits for an answer of %s had no limit of their own, but all %u that a hang "
        "held were ended by something else, after %s at most",
        t->failed, t->fired, mh_name_peer(g, t->peer), cuts->cut, MH_SPAN(cuts->longest));
    return 0;
}

static int file_direct(struct mh_grading *g, const struct mh_tally *t, const struct stalled *s)
{
    const struct mh_act *a = &g->m->acts.v[t->example - 1];
    enum mh_verdict_kind verdict = !t->failed && t->partial    ? MH_VERDICT_unclear
                                   : t->failed == 0            ? MH_VERDICT_pass
                                   : 3 * t->failed >= t->fired ? MH_VERDICT_fail
                                                               : MH_VERDICT_partial;
    enum mh_confidence confidence = t->failed ? MH_CONFIDENCE_high : mh_tally_confidence(t);
    int64_t longest = longest_wait(g, t);
    bool stall = t->failed && mh_map_get(&s->places, place(t->site, t->peer)) == 1;
    struct mh_judgement *j;
    struct mh_cuts cuts;

    mh_cuts_of(g, t->site, t->peer, &cuts);
    if (t->failed && cuts.cut && !cuts.stood)
        return file_cut(g, t, &cuts);
    if (t->failed && 2 * t->ambiguous > t->fired)
        confidence = MH_CONFIDENCE_medium;
    j = mh_judge_file(g, verdict, t->site, t->peer, stall ? MH_SEVERITY_critical : MH_SEVERITY_high,
                      confidence);
    if (!j)
        return -ENOMEM;
    rate_type(g, j);
    j->fired = t->fired;
    j->failed = t->failed;
    j->stack = a->stack;
    if (verdict == MH_VERDICT_unclear) {
        mh_reason(
            j,
            "%u of %u waits for an answer of %s had TCP_USER_TIMEOUT only: it ends a wait for "
            "a host that is gone, not for one that takes its time",
            t->partial, t->fired, mh_name_peer(g, t->peer));
        return 0;
    }
    if (!t->failed) {
        mh_reason(j, "every wait for an answer of %s had a limit, %s at most",
                  mh_name_peer(g, t->peer), MH_SPAN(t->worst));
        return 0;
    }
    mh_sentence(j->evidence,
                "%u of %u waits for an answer of %s had no limit: %s() on a blocking "
                "descriptor without SO_RCVTIMEO; %s, for one",
                t->failed, t->fired, mh_name_peer(g, t->peer), mh_name_call(a->wait.call),
                mh_name_route(g, a->unit));
    if (stall)
        mh_sentence(j->evidence,
                    "for %s %s that serves requests stood in such a wait: nobody was left to "
                    "answer anything",
                    MH_SPAN(s->all.span),
                    s->all.threads == 1 ? "the one thread" : "each thread of every process");
    if (longest)
        mh_sentence(j->evidence, "the longest stood for %s", MH_SPAN(longest));
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u waits had a limit", t->fired - t->failed, t->fired);
    return 0;
}

enum waited { GAVE_UP, OUTWAITED_LONG, OUTWAITED_SHORT, NOTHING };

/* Where only the loop's own wait can be seen: did the unit give up before the answer came? */
static enum waited behaviour(const struct mh_grading *g, const struct mh_trial *t, int64_t *ret)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_act *a = &g->m->acts.v[o->act];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    bool hang = mh_effect_silent(t->effect);
    /* It was the caller who had enough, or the run that was stopped: what the application would
     * have done is not known. */
    bool left = !u->open && u->how == 1;
    int64_t lift = hang ? mh_fault_lifted(g, t->fault, a->at) : a->at + o->delay;
    int64_t end = u->open ? u->ended : MH_MAX(u->ended, a->at);
    const struct mh_act *attempt = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;

    if (!hang && (t->effect - 1 != MH_EFFECT_delay || o->delay < second))
        return NOTHING;
    if (attempt && attempt->failed && attempt->attempt.ended > a->at)
        end = MH_MIN(end, attempt->attempt.ended);
    /* the interpreter, interrupted, closes what is open */
    if (left && g->m->stops.n && end >= g->m->stops.v[0].at)
        end = MH_MAX(end, u->ended);
    *ret = end - a->at;
    if (((!u->open && !left) || end < u->ended) && (!lift || end < lift - blocked_ns))
        return GAVE_UP;
    if (*ret >= long_hang_ns * 95 / 100)
        return OUTWAITED_LONG;
    return *ret >= second ? OUTWAITED_SHORT : NOTHING;
}

static int tally_hangs(struct mh_grading *g, struct mh_tallies *hangs,
                       const struct mh_tallies *direct)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        int64_t waited = 0;
        enum waited how;
        struct mh_tally *tally;

        if (!t->fault || !t->peer ||
            mh_map_get(&direct->keys, place(t->site, t->peer)) != MH_MAP_NONE)
            continue;
        how = behaviour(g, t, &waited);
        if (how == NOTHING)
            continue;
        tally = how == OUTWAITED_SHORT ? mh_tally_of(hangs, t->site, t->peer)
                                       : mh_tally_trial(g, hangs, i, how == GAVE_UP);
        if (!tally)
            return -ENOMEM;
        tally->worst = MH_MAX(tally->worst, waited);
    }
    return 0;
}

enum { FEW_STOOD = 3 };

static int file_hang(struct mh_grading *g, const struct mh_tally *t)
{
    enum mh_confidence confidence = mh_tally_confidence(t);
    enum mh_verdict_kind verdict = t->fired ? mh_tally_verdict(t) : MH_VERDICT_unclear;
    struct mh_judgement *j;

    /* one place, two calls: a limit for connecting, and none for the answer */
    if (t->failed >= FEW_STOOD) {
        verdict = MH_VERDICT_fail;
        confidence = MH_MAX(confidence, MH_CONFIDENCE_medium);
    }
    j = mh_judge_file(g, verdict, t->site, t->peer, MH_SEVERITY_high, confidence);
    if (!j)
        return -ENOMEM;
    rate_type(g, j);
    j->fired = t->fired;
    j->failed = t->failed;
    j->trial = t->example ? t->example : t->passed;
    if (!t->fired)
        mh_reason(j, "it waited through a delay or hang of %s at %s: a limit above that may exist",
                  MH_SPAN(t->worst), mh_name_peer(g, t->peer));
    else if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "it gave up on %s after %s at most", mh_name_peer(g, t->peer),
                  MH_SPAN(t->worst));
    else
        mh_sentence(j->evidence,
                    "%u of %u still waited for %s when the hang had lasted %s: no limit up to "
                    "that",
                    t->failed, t->fired, mh_name_peer(g, t->peer), MH_SPAN(t->worst));
    return 0;
}

int mh_judge_0601(struct mh_grading *g)
{
    struct mh_tallies direct = {0}, hangs = {0};
    struct stalled stalled = {0};
    struct mh_map idle = {0};
    int r = find_idle(g, &idle);

    if (!r)
        r = tally_waits(g, &direct, &idle);
    if (!r)
        r = tally_hangs(g, &hangs, &direct);
    if (!r)
        r = mh_stall_find(g, &stalled.places, &stalled.all);
    for (size_t i = 0; i < direct.list.n && !r; i++)
        r = file_direct(g, &direct.list.v[i], &stalled);
    for (size_t i = 0; i < hangs.list.n && !r; i++)
        r = file_hang(g, &hangs.list.v[i]);
    if (!r && !direct.list.n && !hangs.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no hang was injected, and no blocking wait for an answer was seen",
                          "[fault x] call = net.recv, hang = yes");
    mh_tallies_done(&direct);
    mh_tallies_done(&hangs);
    mh_map_done(&idle);
    mh_map_done(&stalled.places);
    return r;
}
