/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about how often a peer in trouble is asked: MH-0301 every request still asks it, MH-0302
 * nobody asks it again, MH-0505 it is asked more than ever. Judged by what went out on the wire
 * against what goes out in calm times. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { MAX_WINDOWS = 8, FEW_FAILING = 30, MANY_FAILING = 150, BREAKER_S = 15, WATCH_S = 120 };
enum { FEW_AFTER = 10, AMPLIFIED = 10 };

/* Each fault window of each peer; `last`: no other comes after it. Returns 0 or -ENOMEM. */
typedef int judge_window(struct mh_grading *g, uint32_t peer, const struct mh_need *needs,
                         struct mh_window w, bool last);

static void add(struct mh_demand *sum, const struct mh_demand *d)
{
    sum->units += d->units;
    sum->asking += d->asking;
    sum->well += d->well;
    sum->failed += d->failed;
    sum->expected += d->expected;
    sum->expected_attempts += d->expected_attempts;
    sum->blocked += d->blocked;
    sum->slow += d->slow;
    sum->quick += d->quick;
    sum->example = sum->example ? sum->example : d->example;
}

/* Over all processes in which at least so many units need the peer: a breaker is each one's own. */
static void demand(const struct mh_grading *g, uint32_t peer, const struct mh_need *needs,
                   struct mh_window w, struct mh_window enough_in, double enough,
                   struct mh_demand *ret)
{
    *ret = (struct mh_demand){0};
    for (uint32_t p = 0; p < g->m->processes.n; p++) {
        struct mh_demand d, whole;

        if (g->m->processes.v[p].baseline || g->m->processes.v[p].command_run)
            continue;
        mh_demand_of(g, p, peer, needs, w, &d);
        mh_demand_of(g, p, peer, needs, enough_in, &whole);
        if (whole.expected >= enough)
            add(ret, &d);
    }
}

static int each_window(struct mh_grading *g, judge_window *f)
{
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++) {
        struct mh_window windows[MAX_WINDOWS];
        unsigned n = mh_windows_of(g, peer, windows, MAX_WINDOWS);
        struct mh_need *needs = n ? mh_needs_of(g, peer) : NULL;

        if (n && !needs)
            return -ENOMEM;
        for (unsigned i = 0; i < n && !r; i++)
            r = f(g, peer, needs, windows[i], i + 1 == n);
        free(needs);
    }
    return r;
}

static struct mh_judgement *file(struct mh_grading *g, enum mh_verdict_kind verdict, uint32_t peer,
                                 const struct mh_demand *d, enum mh_severity severity,
                                 enum mh_confidence confidence)
{
    const struct mh_act *a = d->example ? &g->m->acts.v[d->example - 1] : NULL;
    struct mh_judgement *j = mh_judge_file(g, verdict, a ? a->site : 0, peer, severity, confidence);

    if (!j)
        return NULL;
    j->stack = a ? a->stack : 0;
    j->fired = d->units;
    j->failed = verdict == MH_VERDICT_pass ? 0 : d->asking;
    return j;
}

/* ---- MH-0301 ---- */

static double suppression(const struct mh_demand *d)
{
    return d->expected > 0 ? MH_MAX(0, 1 - d->asking / d->expected) : 0;
}

/* Threads that asked the peer in this window, and stood still meanwhile. Returns 0 when coroutines
 * did, of which any number may wait. */
static unsigned threads_asking(const struct mh_grading *g, uint32_t peer, struct mh_window w)
{
    struct mh_map seen = {0};
    unsigned n = 0;

    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->peer != peer || !a->unit || a->at < w.from ||
            a->at >= w.to || mh_map_get(&seen, mh_thread_key(a->process, a->tid)) != MH_MAP_NONE)
            continue;
        if (a->task || mh_map_set(&seen, mh_thread_key(a->process, a->tid), 1)) {
            n = 0;
            break;
        }
        n++;
    }
    mh_map_done(&seen);
    return n;
}

/* What asking a dead peer costs: half of the time of all who could serve, or a second for each
 * call, or next to nothing. */
static enum mh_severity cost(const struct mh_grading *g, uint32_t peer, const struct mh_demand *d,
                             struct mh_window w)
{
    unsigned threads = threads_asking(g, peer, w);
    bool slow = d->failed && d->blocked / d->failed >= second;

    if ((threads && d->blocked / threads >= (w.to - w.from) / 2) ||
        (slow && d->blocked >= (w.to - w.from) / 2))
        return MH_SEVERITY_high;
    return slow ? MH_SEVERITY_medium : MH_SEVERITY_low;
}

/* Requests that no longer ask must be quick: those that wait for a pool or a lock are slow. */
static bool is_quick(const struct mh_demand *d)
{
    unsigned others = d->units - d->asking;

    return others &&
           d->quick / others <= MH_MAX(d->asking ? d->slow / d->asking / 10 : 0, second / 20);
}

static int window_0301(struct mh_grading *g, uint32_t peer, const struct mh_need *needs,
                       struct mh_window w, bool last)
{
    struct mh_window late = {w.from + (w.to - w.from) / 2, w.to};
    struct mh_demand all, half;
    struct mh_judgement *j;
    double s;

    demand(g, peer, needs, w, w, FEW_FAILING, &all);
    demand(g, peer, needs, late, w, FEW_FAILING, &half);
    if (all.expected < FEW_FAILING || w.to - w.from < BREAKER_S * second || all.well ||
        !all.failed || half.expected < 1)
        return 0;
    s = suppression(&half);
    j = file(g,
             s < 0.2            ? MH_VERDICT_fail
             : !is_quick(&half) ? MH_VERDICT_unclear
             : s < 0.8          ? MH_VERDICT_partial
                                : MH_VERDICT_pass,
             peer, &all, cost(g, peer, &all, w),
             all.expected >= MANY_FAILING ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%.0f %% of the requests that need %s no longer asked it", 100 * s,
                  mh_name_peer(g, peer));
    else if (j->verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%.0f %% no longer asked %s, but were not quick: they may have waited for "
                  "others",
                  100 * s, mh_name_peer(g, peer));
    else
        mh_sentence(j->evidence,
                    "%s failed for %s without one good answer, and %u of %.0f requests still "
                    "asked it in the second half of that; each call cost %s",
                    mh_name_peer(g, peer), MH_SPAN(w.to - w.from), half.asking, half.expected,
                    MH_SPAN(all.failed ? all.blocked / all.failed : 0));
    return 0;
}

int mh_judge_0301(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = each_window(g, window_0301);

    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no peer was down for 15 s or more while 30 requests needed it",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 30s");
    return r;
}

/* ---- MH-0302 ---- */

static int window_0302(struct mh_grading *g, uint32_t peer, const struct mh_need *needs,
                       struct mh_window w, bool last)
{
    struct mh_window after = {w.to, INT64_MAX};
    struct mh_demand during, then;
    int64_t watched = g->m->last - w.to;
    struct mh_judgement *j;

    demand(g, peer, needs, w, w, 0, &during);
    demand(g, peer, needs, after, after, 0, &then);
    if (!last || !during.failed || then.expected < FEW_AFTER)
        return 0;
    if (then.asking && suppression(&during) < 0.5)
        return 0; /* nothing had opened */
    j = file(g,
             then.asking                   ? MH_VERDICT_pass
             : watched >= WATCH_S * second ? MH_VERDICT_fail
                                           : MH_VERDICT_unclear,
             peer, &during, MH_SEVERITY_high, MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%s was asked again after the fault", mh_name_peer(g, peer));
    else if (j->verdict == MH_VERDICT_unclear)
        mh_reason(j, "nobody asked %s in the %s after the fault; 120 s are needed",
                  mh_name_peer(g, peer), MH_SPAN(watched));
    else
        mh_sentence(j->evidence,
                    "the fault on %s has been over for %s, and not one of %.0f requests that "
                    "need it has asked it since",
                    mh_name_peer(g, peer), MH_SPAN(watched), then.expected);
    return 0;
}

int mh_judge_0302(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = each_window(g, window_0302);

    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no request stopped asking a peer that failed",
                          "add a [phase recovery] of 130s without faults");
    return r;
}

/* ---- MH-0505 ---- */

/* How often a request asks the peer at one place when all is well, rounded up; by site. */
static unsigned *usual_asks(const struct mh_grading *g, uint32_t peer)
{
    size_t n = g->m->sites.n + 1;
    unsigned *asks = calloc(n, sizeof(*asks)), *units = calloc(n, sizeof(*units));
    uint32_t *last = calloc(n, sizeof(*last));

    for (uint32_t i = 0; asks && units && last && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        for (uint32_t k = 0; u->calm && k < u->nacts; k++) {
            const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + k]];

            if (a->kind != MH_ACT_attempt || a->peer != peer)
                continue;
            asks[a->site]++;
            units[a->site] += last[a->site] != i + 1;
            last[a->site] = i + 1;
        }
    }
    for (size_t i = 0; asks && units && i < n; i++)
        asks[i] = units[i] ? (asks[i] + units[i] - 1) / units[i] : 1;
    if (!units || !last) {
        free(asks);
        asks = NULL;
    }
    free(units);
    free(last);
    return asks;
}

/* Tries beyond those that calm times know, of requests begun in this window; and where most of them
 * are made. Two calls of a request at one place, both in vain, are no second try of the first. */
static int extra_tries(const struct mh_grading *g, uint32_t peer, struct mh_window w, unsigned *ret,
                       uint32_t *ret_site)
{
    unsigned *extra = calloc(g->m->sites.n + 1, sizeof(*extra)), *usual = usual_asks(g, peer);
    bool whole;

    *ret = 0;
    *ret_site = 0;
    for (size_t i = 0; extra && usual && i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];
        unsigned more;

        if (s->peer != peer || !s->unit || s->first < w.from || s->first >= w.to ||
            s->attempts <= usual[s->site])
            continue;
        more = s->attempts - usual[s->site];
        *ret += more;
        extra[s->site] += more;
        if (extra[s->site] > extra[*ret_site])
            *ret_site = s->site;
    }
    whole = extra && usual;
    free(extra);
    free(usual);
    return whole ? 0 : -ENOMEM;
}

static int window_0505(struct mh_grading *g, uint32_t peer, const struct mh_need *needs,
                       struct mh_window w, bool last)
{
    struct mh_judgement *j;
    struct mh_demand d;
    unsigned extra;
    uint32_t site;
    double a;

    /* down, not only failing now and then: single failures add no load to speak of */
    demand(g, peer, needs, w, w, 0, &d);
    if (d.failed <= d.well || d.expected_attempts < AMPLIFIED)
        return 0;
    if (extra_tries(g, peer, w, &extra, &site))
        return -ENOMEM;
    a = 1 + extra / d.expected_attempts;
    j = file(g,
             a <= 1.2 ? MH_VERDICT_pass
             : a <= 3 ? MH_VERDICT_partial
                      : MH_VERDICT_fail,
             peer, &d, a > AMPLIFIED ? MH_SEVERITY_high : MH_SEVERITY_medium,
             d.expected_attempts >= FEW_FAILING ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    if (site) {
        j->site = site;
        j->stack = g->m->sites.v[j->site - 1].stack;
    }
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%.1f times as many tries at %s as when all is well", a,
                  mh_name_peer(g, peer));
    else
        mh_sentence(j->evidence,
                    "%.1f times as many tries at %s as when all is well: %u more than the %.0f "
                    "that %u requests needed",
                    a, mh_name_peer(g, peer), extra, d.expected_attempts, d.units);
    return 0;
}

int mh_judge_0505(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = each_window(g, window_0505);

    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than ten requests needed a peer while it failed, or there was no "
                          "calm time to compare with",
                          NULL);
    return r;
}
