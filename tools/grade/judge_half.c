/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about how a circuit breaker opens and tries again: MH-0303 it lets a flood through, MH-0304
 * it opens on the caller's errors. A breaker is known by what it does: requests that need the peer
 * end at once and do not ask it, for a while. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t quick = 50000000;
enum { MAX_WINDOWS = 8, FEW_SILENT = 5, MOST_PROBES = 10, FEW_REFUSED = 3, MANY_REFUSED = 10 };

/* Requests of one process whose route asks the peer, in the order in which they began. */
struct line {
    MH_VEC(const struct mh_unit *) units;
};

static int by_begin(const void *a, const void *b)
{
    const struct mh_unit *const *x = a, *const *y = b;

    return (*x)->begun < (*y)->begun ? -1 : (*x)->begun > (*y)->begun;
}

static int line_up(const struct mh_grading *g, uint32_t process, const bool *routes,
                   struct mh_window w, struct line *ret)
{
    const struct mh_process *p = &g->m->processes.v[process];

    *ret = (struct line){0};
    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i], **slot;

        if (u->command || !routes[u->route] || u->begun < w.from || u->begun >= w.to)
            continue;
        slot = mh_vec_add(&ret->units);
        if (!slot)
            return -ENOMEM;
        *slot = u;
    }
    if (ret->units.n)
        qsort(ret->units.v, ret->units.n, sizeof(*ret->units.v), by_begin);
    return 0;
}

static const struct mh_act *asks(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->peer == peer)
            return a;
    }
    return NULL;
}

/* A pause that begins at i: requests that ended at once without asking, for a second or more.
 * Returns the index of the first one that asks again, or the number of all; 0: no pause. *end: 0 at
 * first, then how far was looked: it is looked from each i on. */
static size_t pause_at(const struct mh_grading *g, const struct line *l, size_t i, uint32_t peer,
                       size_t *end)
{
    size_t k = MH_MAX(i, *end);

    while (k < l->units.n && !asks(g, l->units.v[k], peer) && !l->units.v[k]->open &&
           l->units.v[k]->latency <= quick)
        k++;
    *end = k;
    return k - i >= FEW_SILENT && l->units.v[k - 1]->begun - l->units.v[i]->begun >= second ? k : 0;
}

/* Which routes ask this peer whenever all is well; from calloc(). */
static bool *routes_that_need(const struct mh_grading *g, uint32_t peer)
{
    bool *ret = calloc(g->m->routes.n + 1, sizeof(*ret));
    struct mh_need *needs = mh_needs_of(g, peer);

    for (size_t i = 0; ret && needs && i <= g->m->routes.n; i++)
        ret[i] = needs[i].units && 10 * needs[i].asking >= 9 * needs[i].units;
    free(needs);
    return ret;
}

typedef int judge_line(struct mh_grading *g, uint32_t peer, const struct line *l,
                       struct mh_window w, struct mh_tally *t);

static int each_process(struct mh_grading *g, uint32_t peer, const bool *routes, struct mh_window w,
                        judge_line *judge, struct mh_tally *t)
{
    int r = 0;

    for (uint32_t p = 0; p < g->m->processes.n && !r; p++) {
        struct line l;

        if (g->m->processes.v[p].baseline || g->m->processes.v[p].command_run)
            continue;
        r = line_up(g, p, routes, w, &l);
        if (!r)
            r = judge(g, peer, &l, w, t);
        free(l.units.v);
    }
    return r;
}

static struct mh_judgement *file(struct mh_grading *g, enum mh_verdict_kind verdict,
                                 const struct mh_tally *t, enum mh_confidence confidence)
{
    const struct mh_act *a = t->example ? &g->m->acts.v[t->example - 1] : NULL;
    struct mh_judgement *j =
        mh_judge_file(g, verdict, a ? a->site : 0, t->peer, MH_SEVERITY_low, confidence);

    if (!j)
        return NULL;
    j->stack = a ? a->stack : 0;
    j->fired = t->fired;
    j->failed = t->failed;
    return j;
}

/* ---- MH-0303 ---- */

/* Attempts at the peer in the second after a pause, and whether one of them went well. */
static unsigned probes(const struct mh_grading *g, const struct line *l, size_t from, uint32_t peer,
                       bool *ret_well, unsigned *ret_silent)
{
    int64_t end = l->units.v[from]->begun + second;
    unsigned n = 0;

    *ret_well = false;
    *ret_silent = 0;
    for (size_t i = from; i < l->units.n && l->units.v[i]->begun < end; i++) {
        const struct mh_unit *u = l->units.v[i];
        unsigned before = n;

        for (uint32_t k = 0; k < u->nacts; k++) {
            const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + k]];

            if (a->kind != MH_ACT_attempt || a->peer != peer || a->at >= end)
                continue;
            n++;
            *ret_well |= a->answered && !a->failed && a->attempt.status < 500;
        }
        *ret_silent += n == before;
    }
    return n;
}

static int line_0303(struct mh_grading *g, uint32_t peer, const struct line *l, struct mh_window w,
                     struct mh_tally *t)
{
    size_t end = 0;

    for (size_t i = 0; i < l->units.n; i++) {
        size_t next = pause_at(g, l, i, peer, &end);
        unsigned n, silent;
        bool well;

        if (!next)
            continue;
        i = next;
        if (next == l->units.n || l->units.v[next]->begun + second > w.to ||
            !asks(g, l->units.v[next], peer))
            continue;
        n = probes(g, l, next, peer, &well, &silent);
        t->polite++; /* pauses, here */
        /* it may have closed; or so few came that none would have been held back */
        if (well || (n <= MOST_PROBES && !silent))
            continue;
        t->fired++;
        t->failed += n > MOST_PROBES;
        if (n > MOST_PROBES || !t->example)
            t->example = (uint32_t)(asks(g, l->units.v[next], peer) - g->m->acts.v) + 1;
        t->worst = MH_MAX(t->worst, n);
    }
    return 0;
}

static int peer_0303(struct mh_grading *g, uint32_t peer, unsigned *ret_pauses)
{
    struct mh_window windows[MAX_WINDOWS];
    unsigned n = mh_windows_of(g, peer, windows, MAX_WINDOWS);
    bool *routes = n ? routes_that_need(g, peer) : NULL;
    struct mh_tally t = {.peer = peer};
    struct mh_judgement *j;
    int r = n && !routes ? -ENOMEM : 0;

    for (unsigned i = 0; i < n && !r; i++)
        r = each_process(g, peer, routes, windows[i], line_0303, &t);
    free(routes);
    *ret_pauses += t.polite;
    if (r || !t.fired)
        return r;
    j = file(g, mh_tally_verdict(&t), &t, t.fired >= 3 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j,
                  "%u times %s was tried again while it was down, by %d attempts a second at most",
                  t.fired, mh_name_peer(g, peer), (int)t.worst);
    else
        mh_sentence(j->evidence,
                    "%u of %u times when %s was tried again after a pause, up to %d attempts went "
                    "to it within a second, and none of them was answered well",
                    t.failed, t.fired, mh_name_peer(g, peer), (int)t.worst);
    return 0;
}

int mh_judge_0303(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    unsigned pauses = 0;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++)
        r = peer_0303(g, peer, &pauses);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          pauses
                              ? "a breaker tried again, but fewer than ten requests a second came"
                              : "no breaker opened and tried again while its peer was down",
                          "[fault x] call = net.recv, hang = yes, for = 40s, and a load of 20 "
                          "requests a second for each process");
    return r;
}

/* ---- MH-0304 ---- */

enum answer { GOOD, CALLERS, PEERS };

/* What the peer said to this request: whose fault is it? */
static enum answer answer_of(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    enum answer ret = GOOD;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];
        int status = a->attempt.status;

        if (a->kind != MH_ACT_attempt || a->peer != peer)
            continue;
        if (a->failed || !a->answered || status >= 500 || status == 408 || status == 425 ||
            status == 429)
            return PEERS;
        if (status >= 400)
            ret = CALLERS;
    }
    return ret;
}

static bool all_refused(const struct line *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (l->units.v[i]->status < 500)
            return false;
    return true;
}

static int line_0304(struct mh_grading *g, uint32_t peer, const struct line *l, struct mh_window w,
                     struct mh_tally *t)
{
    unsigned streak = 0; /* answers in a row that were the caller's errors */
    size_t end = 0;

    for (size_t i = 0; i < l->units.n; i++) {
        const struct mh_unit *u = l->units.v[i];
        const struct mh_act *a = asks(g, u, peer);
        size_t next = a ? 0 : pause_at(g, l, i, peer, &end);

        if (a) {
            streak = answer_of(g, u, peer) == CALLERS ? streak + 1 : 0;
            if (streak)
                t->example = (uint32_t)(a - g->m->acts.v) + 1;
            t->worst = MH_MAX(t->worst, streak);
        }
        if (!next || !all_refused(l, i, next))
            continue;
        if (streak >= FEW_REFUSED)
            t->failed += (unsigned)(next - i);
        else
            t->window++; /* it opened on something else: there is a breaker */
        i = next - 1;
    }
    return 0;
}

static int peer_0304(struct mh_grading *g, uint32_t peer, bool *ret_streak)
{
    static const struct mh_window always = {0, INT64_MAX};
    bool *routes = calloc(g->m->routes.n + 1, sizeof(*routes));
    struct mh_tally t = {.peer = peer};
    struct mh_judgement *j;
    int r = routes ? 0 : -ENOMEM;

    for (size_t i = 0; i < g->m->units.n && !r; i++)
        routes[g->m->units.v[i].route] |= asks(g, &g->m->units.v[i], peer) != NULL;
    if (!r)
        r = each_process(g, peer, routes, always, line_0304, &t);
    free(routes);
    *ret_streak |= t.worst >= MANY_REFUSED;
    t.fired = t.failed ? t.failed : (unsigned)t.worst;
    if (r || (!t.failed && (!t.window || t.worst < MANY_REFUSED)))
        return r;
    j = file(g, t.failed ? MH_VERDICT_fail : MH_VERDICT_pass, &t, MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    if (t.failed)
        mh_sentence(j->evidence,
                    "after %d answers of %s in a row that said that the question was wrong (4xx), "
                    "%u requests were refused at once without asking it",
                    (int)t.worst, mh_name_peer(g, peer), t.failed);
    else
        mh_reason(j,
                  "%d answers of 4xx in a row, and %s was still asked; the breaker opened on "
                  "other failures",
                  (int)t.worst, mh_name_peer(g, peer));
    return 0;
}

int mh_judge_0304(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    bool streak = false;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++)
        if (g->m->peers.v[peer - 1].role == MH_ROLE_http)
            r = peer_0304(g, peer, &streak);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(
            g, MH_VERDICT_not_exercised,
            streak ? "no breaker was seen to open on anything"
                   : "no peer answered ten requests in a row with 4xx",
            "a load that asks for what is not there, and a fault of 15 s on the peer");
    return r;
}
