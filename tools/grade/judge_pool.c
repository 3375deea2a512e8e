/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0608: a request waits for its turn at an exhausted pool, and nothing ends that wait. As many
 * calls of the peer as there ever are were under way, and a request that needs it stood without
 * asking: for half a minute, whatever it stood in; or in a wait for a semaphore without a limit,
 * until a thread that came back from such a call let it go. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;
enum { MAX_WINDOWS = 8, LONG_S = 30, FEW = 3, AT_ONCE_MS = 50, AT_DOOR_MS = 20, POOL = 2 };

/* Calls of one peer by one process that began in its trouble. */
struct busy {
    int64_t *begins, *ends; /* sorted */
    size_t n, most;
};

static void busy_done(struct busy *b)
{
    free(b->begins);
    free(b->ends);
}

static size_t before(const int64_t *sorted, size_t n, int64_t at)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (sorted[mid] <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static size_t under_way(const struct busy *b, int64_t at)
{
    return before(b->begins, b->n, at) - before(b->ends, b->n, at);
}

static int find_busy(const struct mh_grading *g, uint32_t process, uint32_t peer, struct busy *ret)
{
    const struct mh_process *p = &g->m->processes.v[process];

    *ret = (struct busy){.begins = calloc(p->nacts + 1, sizeof(int64_t)),
                         .ends = calloc(p->nacts + 1, sizeof(int64_t))};
    if (!ret->begins || !ret->ends) {
        busy_done(ret);
        return -ENOMEM;
    }
    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->peer != peer)
            continue;
        ret->begins[ret->n] = a->at;
        /* without an end of its own it lasts as long as its request */
        ret->ends[ret->n++] = a->attempt.ended ? a->attempt.ended
                              : a->unit        ? mh_grading_unit(g, a->unit)->ended
                                               : a->until;
    }
    qsort(ret->begins, ret->n, sizeof(int64_t), mh_compare_int64);
    qsort(ret->ends, ret->n, sizeof(int64_t), mh_compare_int64);
    for (size_t i = 0; i < ret->n; i++)
        ret->most = MH_MAX(ret->most, under_way(ret, ret->begins[i]));
    return 0;
}

struct waiting {
    unsigned forever, some, gave_up;
    unsigned clockless; /* in a wait for their turn that had no limit */
    int64_t longest, limit, turn;
    size_t most;
    uint32_t site;
};

/* Before its first call of the peer, or to its end: since when the unit had done nothing. */
static int64_t stood(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer,
                     int64_t *ret_from, const struct mh_act **ret_attempt)
{
    int64_t from = u->begun;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->peer == peer) {
            *ret_from = from;
            *ret_attempt = a;
            return a->at - from;
        }
        if (a->kind == MH_ACT_attempt || a->kind == MH_ACT_waited || a->kind == MH_ACT_dns)
            from = MH_MAX(from, MH_MIN(a->until, u->ended));
        else if (a->kind == MH_ACT_sleep)
            from = MH_MAX(from, MH_MIN(a->at + MH_MIN(a->requested, u->latency), u->ended));
    }
    *ret_from = from;
    return u->ended - from;
}

/* Told very soon that there is no room: it had waited, but not long. Of a pool of one that may be
 * anything, and who is told at once has not waited. */
static void take_refused(const struct mh_unit *u, const struct mh_act *attempt,
                         const struct busy *b, int64_t from, struct waiting *w)
{
    if (attempt || u->open || u->status != 503 || b->most < POOL ||
        u->ended - from < AT_DOOR_MS * ms || under_way(b, from) < b->most ||
        under_way(b, from + (u->ended - from) / 2) < b->most)
        return;
    w->most = MH_MAX(w->most, b->most);
    w->gave_up++;
    w->limit = MH_MAX(w->limit, u->ended - from);
}

/* Did the thread that let go come from a call of this peer? */
static bool comes_from_call(const struct mh_grading *g, const struct mh_locked *l, uint32_t peer)
{
    const struct mh_process *p = &g->m->processes.v[l->process];

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_attempt && a->peer == peer && a->tid == l->by &&
            a->attempt.ended > l->at && a->attempt.ended <= l->until + AT_ONCE_MS * ms &&
            a->attempt.ended >= l->until - AT_ONCE_MS * ms)
            return true;
    }
    return false;
}

/* A wait in what is not the application's own (a semaphore, a queue): a lock around one call is
 * another rule's. */
static bool is_turn(const struct mh_grading *g, const struct mh_locked *l)
{
    const struct mh_stack *s = l->stack ? &g->m->stacks.v[l->stack - 1] : NULL;

    return !l->limited && l->got && l->by && l->by != l->tid && l->until - l->at >= second && s &&
           s->nframes && g->m->frames.v[s->frames].kind != MH_FRAME_app;
}

/* Its turn came, and it asked: it had waited for nothing else. */
static void take_turn(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer,
                      const struct busy *b, const struct mh_locked *l, struct waiting *w)
{
    const struct mh_act *attempt = NULL;
    int64_t from = 0;

    if (u->tid != l->tid || l->at < u->begun || l->until > u->ended || b->most < POOL ||
        !is_turn(g, l))
        return;
    stood(g, u, peer, &from, &attempt);
    if (!attempt || attempt->at < l->until || attempt->at > l->until + AT_ONCE_MS * ms ||
        under_way(b, l->at + AT_ONCE_MS * ms) < b->most ||
        under_way(b, (l->at + l->until) / 2) < b->most || !comes_from_call(g, l, peer))
        return;
    w->clockless++;
    w->most = MH_MAX(w->most, b->most);
    w->turn = MH_MAX(w->turn, l->until - l->at);
    w->site = attempt->site;
}

static void take(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer,
                 const struct busy *b, struct waiting *w)
{
    const struct mh_act *attempt = NULL;
    int64_t from = 0, span = stood(g, u, peer, &from, &attempt);

    if (span < 200 * ms) {
        take_refused(u, attempt, b, from, w);
        return;
    }
    if (!b->most || under_way(b, from + 100 * ms) < b->most ||
        under_way(b, from + span / 2) < b->most)
        return;
    w->most = MH_MAX(w->most, b->most);
    w->longest = MH_MAX(w->longest, span);
    if (attempt && attempt->site)
        w->site = attempt->site;
    if (span >= LONG_S * second * 95 / 100)
        w->forever++;
    else if (!attempt && !u->open && u->how != 1 && (u->status >= 500 || u->status == 429)) {
        w->gave_up++;
        w->limit = MH_MAX(w->limit, span);
    } else if (span >= second)
        w->some++;
}

static int look(const struct mh_grading *g, uint32_t process, uint32_t peer,
                const struct mh_need *needs, struct mh_window window, struct waiting *w)
{
    const struct mh_process *p = &g->m->processes.v[process];
    struct busy b;
    int r = find_busy(g, process, peer, &b);

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits && !r; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_need *n = &needs[u->route];

        if (!u->command && u->begun >= window.from && u->begun < window.to && n->units &&
            10 * n->asking >= 9 * n->units) {
            take(g, u, peer, &b, w);
            for (size_t k = 0; k < g->m->locked.n; k++)
                if (g->m->locked.v[k].process == process)
                    take_turn(g, u, peer, &b, &g->m->locked.v[k], w);
        }
    }
    if (!r)
        busy_done(&b);
    return r;
}

static int file(struct mh_grading *g, uint32_t peer, const struct waiting *w)
{
    bool proved = w->clockless >= FEW;
    enum mh_verdict_kind verdict = w->forever || proved ? MH_VERDICT_fail
                                   : w->gave_up >= FEW  ? MH_VERDICT_pass
                                                        : MH_VERDICT_unclear;
    unsigned all = MH_MAX(w->forever + w->gave_up + w->some, proved ? w->clockless : 0);
    struct mh_judgement *j;

    if (!all)
        return 0;
    j = mh_judge_file(g, verdict, w->site, peer, MH_SEVERITY_high,
                      proved || w->forever >= FEW || w->gave_up >= FEW ? MH_CONFIDENCE_medium
                                                                       : MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    j->fired = all;
    j->failed = MH_MAX(w->forever, proved ? w->clockless : 0);
    j->stack = w->site ? g->m->sites.v[w->site - 1].stack : 0;
    if (proved)
        mh_sentence(j->evidence,
                    "%zu calls of %s were under way, as many as there ever are, and %u requests "
                    "stood for up to %s in a wait for their turn that had no limit, until a "
                    "thread came back from such a call",
                    w->most, mh_name_peer(g, peer), w->clockless, MH_SPAN(w->turn));
    if (w->forever)
        mh_sentence(j->evidence,
                    "%zu calls of %s were under way, as many as there ever are, and %u requests "
                    "that need it stood for up to %s without asking it: nothing ended their wait",
                    w->most, mh_name_peer(g, peer), w->forever, MH_SPAN(w->longest));
    if (verdict == MH_VERDICT_fail) {
        if (w->gave_up)
            mh_sentence(j->counter, "%u others gave up after %s at most", w->gave_up,
                        MH_SPAN(w->limit));
    } else if (verdict == MH_VERDICT_pass)
        mh_reason(j, "%u requests gave up waiting for a place among the %zu calls of %s after %s",
                  w->gave_up, w->most, mh_name_peer(g, peer), MH_SPAN(w->limit));
    else
        mh_reason(j,
                  "with %zu calls of %s under way %u requests waited for up to %s for their turn: "
                  "a limit above that may exist",
                  w->most, mh_name_peer(g, peer), all, MH_SPAN(w->longest));
    return 0;
}

static int judge_peer(struct mh_grading *g, uint32_t peer)
{
    struct mh_window windows[MAX_WINDOWS];
    unsigned n = mh_windows_of(g, peer, windows, MAX_WINDOWS);
    struct mh_need *needs = n ? mh_needs_of(g, peer) : NULL;
    struct waiting w = {0};
    int r = n && !needs ? -ENOMEM : 0;

    for (unsigned i = 0; i < n && !r; i++)
        for (uint32_t p = 0; p < g->m->processes.n && !r; p++)
            if (!g->m->processes.v[p].baseline && !g->m->processes.v[p].command_run)
                r = look(g, p, peer, needs, windows[i], &w);
    free(needs);
    return r ? r : file(g, peer, &w);
}

int mh_judge_0608(struct mh_grading *g)
{
    size_t before_it = g->judgements.n;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++)
        r = judge_peer(g, peer);
    if (!r && g->judgements.n == before_it)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no request stood before a peer in trouble without asking it",
                          "[fault x] call = net.recv, side = client, hang = yes, for = 40s, and a "
                          "load above what the pool has room for");
    return r;
}
