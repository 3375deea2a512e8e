/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the application as a whole after a fault: MH-0403 it does not recover, MH-0607 it
 * leaks descriptors. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

/* ---- MH-0403 ---- */

enum { RECOVERY_S = 30, CRITICAL_S = 120, FEW_UNITS = 5, ENOUGH_UNITS = 10, MANY_UNITS = 20 };
/* p95 of 4 ms becoming 7 ms is noise, not an outage; and so is a tail alone that grows by less than
 * a person notices: what has not recovered is slow for half of those who ask. */
static const int64_t latency_floor_ns = 25000000, tail_floor_ns = 250000000;

static bool touches(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    for (uint32_t i = 0; i < u->nacts; i++)
        if (g->m->acts.v[g->m->by_unit.v[u->first_act + i]].peer == peer)
            return true;
    return false;
}

/* When the last fault on this peer ended; 0: none fired, or it was in force to the end. */
static int64_t fault_end(const struct mh_grading *g, uint32_t peer)
{
    int64_t end = 0;

    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];

        if (o->fault && a->peer == peer)
            end = MH_MAX(end, a->until);
    }
    for (size_t i = 0; i < g->m->phases.n && end; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];

        if (p->faults.n && end >= p->start && (!p->end || end < p->end))
            return p->end;
    }
    return end;
}

/* Until when what becomes of a route's requests tells of this peer's fault: until a later fault
 * elsewhere hits one of them; 0 for a route that does not need the peer. Also those requests of a
 * route count that no longer get as far as to the peer. */
static int64_t *routes_of(const struct mh_grading *g, uint32_t peer, int64_t fault_end)
{
    int64_t *until = calloc(g->m->routes.n + 1, sizeof(*until));

    for (size_t i = 0; until && i < g->m->units.n; i++)
        if (!until[g->m->units.v[i].route] && touches(g, &g->m->units.v[i], peer))
            until[g->m->units.v[i].route] = INT64_MAX;
    for (size_t i = 0; until && i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];
        int64_t *one = a->unit ? &until[g->m->units.v[a->unit - 1].route] : NULL;

        if (one && o->fault && a->peer != peer && a->at > fault_end)
            *one = MH_MIN(*one, a->at);
    }
    return until;
}

struct measured {
    unsigned n, failed;
    unsigned down; /* of the failed: a peer refused them, and no fault made it */
    uint32_t down_peer;
    int64_t p50, p95;
};

struct watch {
    uint32_t peer;
    int64_t fault_end;
    int64_t *until; /* by route */
    struct measured calm;
};

/* Refused in earnest, in a request that no fault hit: then it is the peer that has not recovered.
 * Returns the peer, 0 none. */
static uint32_t peer_down(const struct mh_grading *g, const struct mh_unit *u)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->failed &&
            (a->attempt.err == ECONNREFUSED || a->attempt.err == EHOSTUNREACH ||
             a->attempt.err == ENETUNREACH))
            return a->peer;
    }
    return 0;
}

/* Requests that need the peer, begun in a span of time, untouched by any fault; and how they fared.
 */
static int measure(const struct mh_grading *g, const struct watch *w, int64_t from, bool calm,
                   struct measured *ret)
{
    int64_t *all = calloc(g->m->units.n + 1, sizeof(*all));

    *ret = (struct measured){0};
    for (size_t i = 0; all && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        bool in = calm ? u->calm && w->until[u->route]
                       : u->begun >= from && u->begun < w->until[u->route] && !u->faulted &&
                             !mh_model_fault_active(g->m, u->begun) &&
                             !g->m->processes.v[u->process].baseline;

        if (!in || u->command || u->how == 1 || (u->open && u->ended - u->begun < second))
            continue;
        if (mh_unit_failed(u) || u->open) {
            uint32_t down = peer_down(g, u);

            ret->failed++;
            ret->down += down != 0;
            ret->down_peer = down ? down : ret->down_peer;
        }
        all[ret->n++] = u->latency;
    }
    if (all)
        qsort(all, ret->n, sizeof(*all), mh_compare_int64);
    ret->p50 = all ? mh_quantile(all, ret->n, 0.5) : 0;
    ret->p95 = all ? mh_quantile(all, ret->n, 0.95) : 0;
    free(all);
    return all ? 0 : -ENOMEM;
}

static bool is_failing(const struct measured *now)
{
    return now->failed * 100 > now->n;
}

/* Slow is only said where there was enough calm to know what is usual. */
static bool is_bad(const struct measured *now, const struct measured *calm)
{
    if (is_failing(now))
        return true;
    return calm->n >= MANY_UNITS && now->n >= MANY_UNITS && 2 * now->p95 > 3 * calm->p95 &&
           now->p95 - calm->p95 > latency_floor_ns &&
           (2 * now->p50 > 3 * calm->p50 || now->p95 - calm->p95 > tail_floor_ns);
}

/* Answers that come, and sooner than anybody gives up, but later than in calm times: a machine with
 * more to do makes them so, too. */
static bool is_slow_only(const struct measured *now)
{
    return !is_failing(now) && now->p95 < second;
}

static bool is_down(const struct measured *now)
{
    return now->down && now->down * 2 >= now->failed;
}

static void say_0403(const struct mh_grading *g, struct mh_judgement *j, const struct watch *w,
                     const struct measured *now, int64_t watched, int64_t after)
{
    const char *peer = mh_name_peer(g, w->peer);

    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%s after the last fault on %s: %u of %u failed, p95 %s (calm %s)",
                  MH_SPAN(after), peer, now->failed, now->n, MH_SPAN(now->p95),
                  MH_SPAN(w->calm.p95));
    else if (j->verdict == MH_VERDICT_unclear && is_down(now))
        mh_reason(j,
                  "after the last fault on %s %u of %u requests that failed were refused by %s, "
                  "and no fault made it: that one has not recovered",
                  peer, now->down, now->failed, mh_name_peer(g, now->down_peer));
    else if (j->verdict == MH_VERDICT_unclear && is_slow_only(now))
        mh_reason(
            j,
            "%s after the last fault on %s the answers came, but later than before it, p95 %s "
            "(calm %s): a busier machine would do that, too",
            MH_SPAN(after), peer, MH_SPAN(now->p95), MH_SPAN(w->calm.p95));
    else if (j->verdict == MH_VERDICT_unclear)
        mh_reason(
            j, "not recovered when the run ended, %s after the last fault on %s; 30 s are needed",
            MH_SPAN(watched), peer);
    else
        mh_sentence(j->evidence,
                    "30 s after the last fault on %s had ended, %u of %u requests that need "
                    "it failed, p95 was %s (calm %s)",
                    peer, now->failed, now->n, MH_SPAN(now->p95), MH_SPAN(w->calm.p95));
}

/* How long anything told of this fault. */
static int64_t watched_for(const struct mh_grading *g, const struct watch *w)
{
    int64_t last = w->fault_end;

    for (size_t i = 0; i <= g->m->routes.n; i++)
        last = MH_MAX(last, MH_MIN(w->until[i], g->m->last));
    return last - w->fault_end;
}

static int file_0403(struct mh_grading *g, const struct watch *w)
{
    int64_t watched = watched_for(g, w);
    int64_t after = MH_MIN(RECOVERY_S * second, watched / 2);
    bool bad, whole = watched >= (RECOVERY_S + 1) * second;
    struct measured now, late;
    struct mh_judgement *j;
    int r = measure(g, w, w->fault_end + after, false, &now);

    if (!r)
        r = measure(g, w, w->fault_end + CRITICAL_S * second, false, &late);
    if (r || now.n < ENOUGH_UNITS)
        return r;
    bad = is_bad(&now, &w->calm);
    j = mh_judge_file(g,
                      !bad                                             ? MH_VERDICT_pass
                      : whole && !is_down(&now) && !is_slow_only(&now) ? MH_VERDICT_fail
                                                                       : MH_VERDICT_unclear,
                      0, w->peer,
                      late.n >= ENOUGH_UNITS && is_bad(&late, &w->calm) && !is_slow_only(&late)
                          ? MH_SEVERITY_critical
                          : MH_SEVERITY_high,
                      now.n >= 5 * MANY_UNITS && w->calm.n >= MANY_UNITS ? MH_CONFIDENCE_high
                                                                         : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = now.n;
    j->failed = now.failed;
    say_0403(g, j, w, &now, watched, after);
    return 0;
}

int mh_judge_0403(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    bool fired = false;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++) {
        struct watch w = {.peer = peer, .fault_end = fault_end(g, peer)};

        if (!w.fault_end || w.fault_end >= g->m->last)
            continue;
        fired = true;
        w.until = routes_of(g, peer, w.fault_end);
        r = w.until ? measure(g, &w, 0, true, &w.calm) : -ENOMEM;
        if (!r && w.calm.n >= FEW_UNITS)
            r = file_0403(g, &w);
        free(w.until);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          !g->m->calm_units ? "there was no calm time to compare with"
                          : fired           ? "too few requests before or after the fault"
                                            : "no fault on a peer ended before the run did",
                          "add a [phase recovery] of 40s without faults");
    return r;
}

/* ---- MH-0607 ---- */

enum { LEAK_UNITS = 20, LEAK_UNITS_SURE = 50 };

struct leak {
    int64_t before, after, half, last; /* half, last: of the units that a fault hit */
    unsigned faulted, clean;
    unsigned in_flight; /* when the last ones ended */
};

/* How many units of a process were in flight at this time. */
static unsigned in_flight(const struct mh_grading *g, const struct mh_process *p, int64_t at)
{
    unsigned n = 0;

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        n += u->begun <= at && (u->open || u->ended > at);
    }
    return n;
}

/* The most units that a fault hit and that were in flight together: as many connections a pool may
 * have opened for them, and keep. */
static unsigned most_at_once(const struct mh_grading *g, const struct mh_process *p)
{
    unsigned most = 0;

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        unsigned n = 0;

        for (size_t k = p->first_unit; u->faulted && k < p->first_unit + p->nunits; k++) {
            const struct mh_unit *v = &g->m->units.v[k];

            n += v->faulted && v->begun <= u->begun && (v->open || v->ended >= u->begun);
        }
        most = MH_MAX(most, n);
    }
    return most;
}

static int64_t median(int64_t *v, size_t n)
{
    qsort(v, n, sizeof(*v), mh_compare_int64);
    return mh_quantile(v, n, 0.5);
}

/* Descriptors of one process: in the calm, halfway through the faults, and at the end of the clean
 * units that followed, which let reference cycles be collected. */
static int measure_leak(const struct mh_grading *g, const struct mh_process *p, struct leak *ret)
{
    int64_t *calm = calloc(p->nunits + 1, sizeof(*calm)),
            *end = calloc(p->nunits + 1, sizeof(*end));
    size_t ncalm = 0, nend = 0, first = p->first_unit, last = first + p->nunits, after = last;
    unsigned faulted = 0, seen = 0;
    int64_t latest = 0;

    if (!calm || !end) {
        free(calm);
        free(end);
        return -ENOMEM;
    }
    for (size_t i = first; i < last; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        faulted += u->faulted;
        if (u->faulted)
            after = i + 1;
        if (u->calm && u->fds_ended > 0)
            calm[ncalm++] = u->fds_ended;
    }
    for (size_t i = first; i < last; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->faulted && ++seen == faulted / 2)
            ret->half = u->fds_ended;
        if (u->faulted)
            ret->last = u->fds_ended;
        if (i < after || u->open || u->fds_ended <= 0)
            continue;
        end[nend++] = u->fds_ended;
        latest = MH_MAX(latest, u->ended);
    }
    ret->in_flight = in_flight(g, p, latest);
    ret->faulted = faulted;
    ret->clean = (unsigned)nend;
    ret->before = median(calm, ncalm);
    /* the least of the latest clean ones: who is being served only adds to what leaked */
    for (size_t i = nend > LEAK_UNITS ? nend - LEAK_UNITS : 0; i < nend; i++)
        ret->after = ret->after ? MH_MIN(ret->after, end[i]) : end[i];
    free(calm);
    free(end);
    return ncalm ? 1 : 0;
}

static int file_0607(struct mh_grading *g, const struct mh_process *p, const struct leak *l)
{
    /* a pool that grows to its limit and stays there is none: a leak grows with every fault.
     * Halfway through there are also those of who is being served; at the end of the faults, too.
     */
    bool leaks = 2 * (l->after - l->before) >= (int64_t)l->faulted &&
                 10 * (MH_MAX(l->after, l->last) - l->half) >= (int64_t)l->faulted;
    unsigned at_once = leaks ? most_at_once(g, p) : 0;
    bool pooled = leaks && l->after - l->before <= (int64_t)at_once;
    /* each may hold its client's connection and one of its own */
    bool busy = leaks && l->after - l->before <= 2 * (int64_t)l->in_flight;
    bool sure = l->faulted >= LEAK_UNITS_SURE && l->clean >= LEAK_UNITS_SURE;
    struct mh_judgement *j =
        mh_judge_file(g,
                      pooled || busy ? MH_VERDICT_unclear
                      : leaks        ? MH_VERDICT_fail
                                     : MH_VERDICT_pass,
                      0, 0, MH_SEVERITY_high, sure ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = l->faulted;
    j->failed = leaks ? (unsigned)MH_MIN(l->after - l->before, (int64_t)l->faulted) : 0;
    if (busy)
        mh_reason(j, "pid %d: %lld descriptors more than before, and %u requests in flight still",
                  p->pid, (long long)(l->after - l->before), l->in_flight);
    else if (pooled)
        mh_reason(j,
                  "pid %d: %lld descriptors more than before, and %u faulted units of work were in "
                  "flight at once: a pool may keep as many connections",
                  p->pid, (long long)(l->after - l->before), at_once);
    else if (!leaks)
        mh_reason(
            j,
            "pid %d: %lld descriptors open before, %lld after %u faulted and %u clean units of "
            "work",
            p->pid, (long long)l->before, (long long)l->after, l->faulted, l->clean);
    else
        mh_sentence(j->evidence,
                    "pid %d: open descriptors went from %lld to %lld over %u faulted units of "
                    "work, and %u clean ones did not bring them back",
                    p->pid, (long long)l->before, (long long)l->after, l->faulted, l->clean);
    return 0;
}

/* Where the failing connections were made: the site that faults hit most. */
static void name_site(struct mh_grading *g)
{
    struct mh_judgement *j = &g->judgements.v[g->judgements.n - 1];
    unsigned best = 0;

    for (size_t i = 0; i < g->cases.n; i++) {
        const struct mh_case *c = &g->cases.v[i];

        if (c->fired > best && c->site) {
            best = c->fired;
            j->site = c->site;
            j->peer = c->peer;
            j->stack = g->m->sites.v[c->site - 1].stack;
        }
    }
}

int mh_judge_0607(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (size_t i = 0; i < g->m->processes.n && r >= 0; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        struct leak l = {0};

        if (p->baseline || p->command_run || !p->nunits)
            continue;
        r = measure_leak(g, p, &l);
        if (r > 0 && l.faulted >= LEAK_UNITS && l.clean >= LEAK_UNITS) {
            r = file_0607(g, p, &l);
            if (!r && g->judgements.v[g->judgements.n - 1].verdict == MH_VERDICT_fail)
                name_site(g);
        }
    }
    if (r >= 0 && g->judgements.n == before)
        r = mh_judge_none(
            g, MH_VERDICT_not_exercised,
            "needs a calm time, 50 faulted units of work in a process and 50 clean ones "
            "after",
            NULL);
    return MH_MIN(r, 0);
}
