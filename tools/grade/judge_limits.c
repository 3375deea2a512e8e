/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about limits and their cost: MH-0602 a limit that is none, MH-0603 one that fires when all
 * is well, MH-1003 a storm of records, MH-2005 a look-up on the event loop's thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

static bool is_served(const struct mh_grading *g, const struct mh_act *a)
{
    return a->unit && !mh_grading_unit(g, a->unit)->command;
}

/* ---- MH-0602 ---- */

enum { TOO_LONG_S = 30 };

/* A limit that lies above half a minute and above what anybody waits for. A connect without one is
 * ended by the kernel, minutes later. */
static int tally_0602(const struct mh_grading *g, struct mh_tallies *tallies)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        struct mh_tally *t;
        int64_t deadline;

        if (!is_served(g, a) || !a->peer)
            continue;
        deadline = g->m->routes.v[mh_grading_unit(g, a->unit)->route - 1].deadline;
        if (a->kind == MH_ACT_attempt && a->from_connect) {
            if (!a->unlimited)
                continue;
            t = mh_tally_act(tallies, a, true);
            if (t)
                t->window++; /* connects, here */
        } else if (a->kind == MH_ACT_wait && !a->loop && (a->pending || a->connecting) &&
                   a->wait.timeout >= 0 && !mh_is_pace(g, a)) {
            bool too_long = a->wait.timeout > MH_MAX(TOO_LONG_S * second, deadline);

            t = mh_tally_act(tallies, a, too_long);
            if (t && too_long)
                t->worst = MH_MAX(t->worst, a->wait.timeout);
        } else
            continue;
        if (!t)
            return -ENOMEM;
    }
    return 0;
}

/* Nothing there has a limit of its own, and what hangs is ended all the same: a connect may be,
 * too. Where a wait has one, it is that which ended it, and nothing ends a connect. */
static bool is_cut(const struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_cuts cuts;

    mh_cuts_of(g, t->site, t->peer, &cuts);
    return t->window == t->fired && cuts.cut >= MH_CUTS_SURE && !cuts.stood;
}

int mh_judge_0602(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = tally_0602(g, &tallies);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        bool sure = t->failed && 2 * t->ambiguous <= t->fired, cut = is_cut(g, t);
        struct mh_judgement *j =
            mh_judge_site(g, t,
                          !t->failed                  ? MH_VERDICT_pass
                          : cut                       ? MH_VERDICT_unclear
                          : 3 * t->failed >= t->fired ? MH_VERDICT_fail
                                                      : MH_VERDICT_partial,
                          MH_SEVERITY_medium, sure ? MH_CONFIDENCE_high : mh_tally_confidence(t));

        if (!j) {
            r = -ENOMEM;
            break;
        }
        if (j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u waits for %s, and no limit above 30 s", t->fired,
                      mh_name_peer(g, t->peer));
        else if (cut)
            mh_reason(
                j,
                "%u of %u: connect() to %s without a limit; but something ends requests there "
                "that hang, and may end a connect, too",
                t->window, t->fired, mh_name_peer(g, t->peer));
        else if (t->window)
            mh_sentence(j->evidence,
                        "%u of %u: connect() to %s without a limit; the kernel gives up after two "
                        "minutes or more",
                        t->window, t->fired, mh_name_peer(g, t->peer));
        if (t->worst)
            mh_sentence(j->evidence, "a limit of %s for an answer of %s", MH_SPAN(t->worst),
                        mh_name_peer(g, t->peer));
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no limit of a wait in a request was seen: an event loop's are its own",
                          NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0603 ---- */

enum { CLEAN_CALLS = 100, FEW_TIMEOUTS = 3 };

static bool waits_by_design(const struct mh_grading *g, const struct mh_act *a)
{
    const struct mh_act *attempt = a->attempt_of ? &g->m->acts.v[a->attempt_of - 1] : NULL;

    return attempt && mh_redis_use_of(mh_model_text(g->m, attempt->attempt.text)) == MH_REDIS_wait;
}

/* A coroutine's call that ended by its own side's close, unanswered. */
static bool given_up(const struct mh_grading *g, const struct mh_act *a)
{
    return a->task && a->failed && a->attempt.err == ETIMEDOUT && !a->answered &&
           mh_grading_unit(g, a->unit)->how != 1;
}

/* Of calls that are given up for other reasons (a hedge, a race) no two last equally long: limits
 * of a loop are told by that. Returns the limit, or 0. */
static int64_t common_limit(const struct mh_grading *g, const struct mh_tally *t)
{
    int64_t least = INT64_MAX, most = 0;

    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->site != t->site || a->peer != t->peer ||
            !is_served(g, a) || !mh_grading_unit(g, a->unit)->calm || !given_up(g, a))
            continue;
        least = MH_MIN(least, a->attempt.ended - a->at);
        most = MH_MAX(most, a->attempt.ended - a->at);
    }
    return least >= most / 10 * 7 ? most : 0;
}

static int tally_0603(const struct mh_grading *g, struct mh_tallies *tallies)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        struct mh_tally *t;

        if (!is_served(g, a) || !a->peer || !mh_grading_unit(g, a->unit)->calm)
            continue;
        if (a->kind == MH_ACT_attempt) {
            t = mh_tally_act(tallies, a, false);
            if (!t)
                return -ENOMEM;
            t->partial += given_up(g, a);
        } else if (a->kind == MH_ACT_waited && !a->loop && a->blocking && a->wait.ready == 0 &&
                   a->wait.timeout > 0 && a->wait.waited >= a->wait.timeout / 10 * 9 &&
                   !waits_by_design(g, a)) {
            t = mh_tally_of(tallies, a->site, a->peer);
            if (!t)
                return -ENOMEM;
            t->failed++;
            t->worst = MH_MAX(t->worst, a->wait.timeout);
        }
    }
    return 0;
}

int mh_judge_0603(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    size_t before = g->judgements.n;
    int r = tally_0603(g, &tallies);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j;
        bool fires;

        if (t->partial >= FEW_TIMEOUTS && !t->failed && common_limit(g, t)) {
            tallies.list.v[i].failed = t->partial;
            tallies.list.v[i].worst = common_limit(g, t);
        }
        fires = t->failed >= FEW_TIMEOUTS && t->failed * 100 > t->fired;

        if (t->fired < CLEAN_CALLS && !fires)
            continue;
        j = mh_judge_site(g, t, fires ? MH_VERDICT_fail : MH_VERDICT_pass, MH_SEVERITY_medium,
                          t->fired >= CLEAN_CALLS ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
        if (!j)
            r = -ENOMEM;
        else if (fires)
            mh_sentence(j->evidence,
                        "the limit of %s ended %u of %u calls of %s while no fault was at work",
                        MH_SPAN(t->worst), t->failed, t->fired, mh_name_peer(g, t->peer));
        else
            mh_reason(j, "%u of %u clean calls of %s ended by their limit", t->failed, t->fired,
                      mh_name_peer(g, t->peer));
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "fewer than 100 clean calls of any peer",
                          "a longer [phase calm]");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-2005 ---- */

enum { SLOW_LOOKUP_NS = 100000000 };

/* Names that need no resolver: addresses, and this host, unless it was seen to take its time. */
static bool needs_resolver(const char *name, int64_t took)
{
    char address[16];

    return *name && (strcmp(name, "localhost") || took >= SLOW_LOOKUP_NS) &&
           inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1;
}

int mh_judge_2005(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    unsigned aside = 0;
    int r = 0;

    for (size_t i = 0; i < g->m->acts.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        struct mh_tally *t;

        if (a->kind != MH_ACT_dns || !is_served(g, a) ||
            !needs_resolver(mh_model_text(g->m, a->dns.name), a->dns.wait))
            continue;
        if (!a->task) {
            aside++;
            continue;
        }
        t = mh_tally_act(&tallies, a, true);
        if (!t)
            r = -ENOMEM;
        else {
            t->worst = MH_MAX(t->worst, a->dns.wait);
            t->example = a->dns.name; /* a text, here */
            t->partial += mh_task_is_greenlet(a->task);
        }
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j =
            mh_judge_site(g, t, MH_VERDICT_fail, MH_SEVERITY_high,
                          t->fired >= 3 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

        if (!j)
            r = -ENOMEM;
        else
            mh_sentence(j->evidence,
                        "%s called getaddrinfo() for %s %u times on the event loop's own "
                        "thread, for %s at most",
                        t->partial ? "a greenlet" : "a coroutine", mh_model_text(g->m, t->example),
                        t->fired, MH_SPAN(t->worst));
    }
    if (!r && !tallies.list.n && aside) {
        struct mh_judgement *j =
            mh_judge_file(g, MH_VERDICT_pass, 0, 0, MH_SEVERITY_high,
                          aside >= 3 ? MH_CONFIDENCE_medium : MH_CONFIDENCE_low);

        if (!j)
            r = -ENOMEM;
        else
            mh_reason(j, "%u look-ups, none of them on the event loop's thread", aside);
    } else if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no name that needs a resolver was looked up in a request", NULL);
    mh_tallies_done(&tallies);
    return r;
}
