/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about more work than there is room for: MH-0701 goodput, MH-0702 nothing is refused,
 * MH-0703 it ends the process, MH-0704 how refusals are made, MH-0705 who is refused. Overload
 * needs no stronger load: a slow peer makes requests pile up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;

enum { MAX_WINDOWS = 8, CROWDED = 32, GROWTH = 10, FEW_UNITS = 30, MANY_UNITS = 100 };
enum { FEW_REFUSALS = 5, FEW_PROBES = 3, BINS = 64, NEIGHBOURS = 512 };

/* A phase in which a peer was slow, and the requests of the routes that it slowed. */
struct rush {
    struct mh_window w;
    int64_t delay;                 /* the longest that hit */
    bool *routes;                  /* by number: a delay hit one of their requests */
    unsigned units, refused, most; /* most: in flight at once */
    double calm_mean;              /* the same in calm times, on average */
    unsigned probes, probes_no;    /* probes that were refused at the door */
    unsigned no_retry_after, door; /* refused at the door: nothing was asked of anybody */
    int64_t p95, calm_p95, door_p95;
    unsigned half_units, half_ok, half_good; /* of the second half; good: in time */
    unsigned half_cut;                       /* failed, and were hit by the fault themselves */
    double peak, rate;                       /* answers a second: at best, good ones */
};

static bool is_refusal(const struct mh_unit *u)
{
    return !u->open && (u->status == 429 || u->status == 503);
}

/* Was the process at work for somebody else when this request came? Where nobody was, there was
 * room: what says no then has another reason. */
static bool others_inside(const struct mh_grading *g, const struct mh_unit *u)
{
    const struct mh_process *p = &g->m->processes.v[u->process];
    size_t at = (size_t)(u - g->m->units.v), first = p->first_unit, end = first + p->nunits;
    size_t low = at > first + NEIGHBOURS ? at - NEIGHBOURS : first;

    for (size_t i = low; i < MH_MIN(end, at + NEIGHBOURS); i++) {
        const struct mh_unit *o = &g->m->units.v[i];

        if (i != at && !o->command && o->begun <= u->begun && (o->open || o->ended > u->begun))
            return true;
    }
    return false;
}

/* Refused before anything was asked of anybody. */
static bool at_the_door(const struct mh_grading *g, const struct mh_unit *u)
{
    bool asked = u->faulted || u->touched;

    for (uint32_t i = 0; i < u->nacts && !asked; i++)
        asked = g->m->acts.v[g->m->by_unit.v[u->first_act + i]].kind == MH_ACT_attempt;
    return is_refusal(u) && !asked && others_inside(g, u);
}

static bool is_counted(const struct mh_grading *g, const struct rush *r, const struct mh_unit *u)
{
    return !u->command && !u->sealed && r->routes[u->route] &&
           !g->m->routes.v[u->route - 1].health && !g->m->processes.v[u->process].baseline;
}

/* The most requests in flight at once between two times. 0 without memory, too. */
static unsigned most_at_once(const struct mh_grading *g, const struct rush *r, int64_t from,
                             int64_t to)
{
    int64_t *begins = calloc(g->m->units.n + 1, sizeof(*begins));
    int64_t *ends = calloc(g->m->units.n + 1, sizeof(*ends));
    unsigned n = 0, now = 0, most = 0;

    for (size_t i = 0; begins && ends && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (!is_counted(g, r, u) || u->begun >= to || u->ended < from)
            continue;
        begins[n] = u->begun;
        ends[n++] = u->ended;
    }
    if (n) {
        qsort(begins, n, sizeof(*begins), mh_compare_int64);
        qsort(ends, n, sizeof(*ends), mh_compare_int64);
    }
    for (unsigned i = 0, k = 0; i < n; i++) {
        while (ends[k] <= begins[i]) {
            k++;
            now--;
        }
        now++;
        most = MH_MAX(most, now);
    }
    free(begins);
    free(ends);
    return most;
}

/* p95 of the latencies of counted units that `takes` picks. */
static int64_t p95_of(const struct mh_grading *g, const struct rush *r,
                      bool (*takes)(const struct mh_grading *, const struct rush *,
                                    const struct mh_unit *))
{
    int64_t *all = calloc(g->m->units.n + 1, sizeof(*all)), ret;
    size_t n = 0;

    for (size_t i = 0; all && i < g->m->units.n; i++)
        if (is_counted(g, r, &g->m->units.v[i]) && takes(g, r, &g->m->units.v[i]))
            all[n++] = g->m->units.v[i].latency;
    if (n)
        qsort(all, n, sizeof(*all), mh_compare_int64);
    ret = mh_quantile(all, n, 0.95);
    free(all);
    return ret;
}

static bool begun_within(const struct rush *r, const struct mh_unit *u)
{
    return u->begun >= r->w.from && u->begun < r->w.to;
}

static bool takes_within(const struct mh_grading *g, const struct rush *r, const struct mh_unit *u)
{
    return begun_within(r, u);
}

static bool takes_calm(const struct mh_grading *g, const struct rush *r, const struct mh_unit *u)
{
    return u->calm;
}

static bool takes_door(const struct mh_grading *g, const struct rush *r, const struct mh_unit *u)
{
    return begun_within(r, u) && at_the_door(g, u);
}

/* Long enough for three rounds of slow answers, which may come in bursts. */
static int64_t bin_length(const struct rush *r)
{
    return MH_MAX(2 * second, 3 * r->delay);
}

static void count_unit(const struct mh_grading *g, struct rush *r, const struct mh_unit *u,
                       unsigned *bins)
{
    int64_t half = r->w.from + (r->w.to - r->w.from) / 2;
    bool ok = !u->open && u->status >= 200 && u->status < 400;

    if (ok && u->ended >= r->w.from && u->ended < r->w.to) {
        int64_t bin = (u->ended - r->w.from) / bin_length(r);

        if (bin < BINS)
            bins[bin]++;
        r->half_ok += u->ended >= half;
        r->half_good +=
            u->ended >= half && u->latency <= g->m->routes.v[u->route - 1].deadline + r->delay;
    }
    r->half_cut += !ok && !u->open && u->faulted && u->ended >= half && u->ended < r->w.to;
    if (!begun_within(r, u))
        return;
    r->units++;
    r->refused += is_refusal(u);
    r->half_units += u->begun >= half;
    if (at_the_door(g, u)) {
        r->door++;
        r->no_retry_after += u->retry_after < 0;
    }
}

static void count_probe(const struct mh_grading *g, struct rush *r, const struct mh_unit *u)
{
    const char *route = mh_model_text(g->m, g->m->routes.v[u->route - 1].name);

    /* a readiness route may say no because of the peer */
    if (strstr(route, "ready") || !begun_within(r, u) || u->open)
        return;
    r->probes++;
    r->probes_no += at_the_door(g, u);
}

/* Requests in flight in calm times, on average. One moment's most would be chance. */
static double calm_mean(const struct mh_grading *g, const struct rush *r)
{
    int64_t first = INT64_MAX, last = 0, sum = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (!is_counted(g, r, u) || !u->calm)
            continue;
        first = MH_MIN(first, u->begun);
        last = MH_MAX(last, u->ended);
        sum += MH_MIN(u->latency, 60 * second);
    }
    return last > first ? (double)sum / (double)(last - first) : 0;
}

static void look(const struct mh_grading *g, struct rush *r)
{
    unsigned bins[BINS] = {0}, best = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (is_counted(g, r, u))
            count_unit(g, r, u, bins);
        else if (!u->command && g->m->routes.v[u->route - 1].health)
            count_probe(g, r, u);
    }
    for (unsigned i = 0; i < BINS; i++)
        best = MH_MAX(best, bins[i]);
    r->peak = best * 1e9 / (double)bin_length(r);
    r->rate = (double)r->half_good * 2e9 / (double)MH_MAX(r->w.to - r->w.from, 1);
    r->most = most_at_once(g, r, r->w.from, r->w.to);
    r->calm_mean = calm_mean(g, r);
    r->p95 = p95_of(g, r, takes_within);
    r->calm_p95 = p95_of(g, r, takes_calm);
    r->door_p95 = p95_of(g, r, takes_door);
}

/* Did a delay hit in this phase? Marks the routes that it hit. */
static bool is_slow(const struct mh_grading *g, const struct mh_phase_seen *p, struct rush *r)
{
    bool hit = false;

    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];

        if (o->fault && o->effect - 1 == MH_EFFECT_delay && a->unit && a->at >= p->start &&
            (!p->end || a->at < p->end)) {
            r->routes[mh_grading_unit(g, a->unit)->route] = true;
            r->delay = MH_MAX(r->delay, o->delay);
            hit = true;
        }
    }
    return hit;
}

typedef int rush_judge(struct mh_grading *g, const struct rush *r);

static int each_rush(struct mh_grading *g, rush_judge *judge, const char *none)
{
    size_t before = g->judgements.n;
    int ret = 0;

    for (size_t i = 0; i < g->m->phases.n && !ret; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];
        struct rush r = {.w = {p->start, p->end ? p->end : g->m->last},
                         .routes = calloc(g->m->routes.n + 1, sizeof(bool))};

        if (!r.routes)
            return -ENOMEM;
        if (p->faults.n && is_slow(g, p, &r)) {
            look(g, &r);
            ret = judge(g, &r);
        }
        free(r.routes);
    }
    if (!ret && g->judgements.n == before)
        ret = mh_judge_none(g, MH_VERDICT_not_exercised, none,
                            "[fault x] call = net.recv, side = client, delay = 2s, and a load of "
                            "40 requests a second");
    return ret;
}

static struct mh_judgement *file(struct mh_grading *g, enum mh_verdict_kind verdict,
                                 enum mh_severity severity, unsigned fired, unsigned failed)
{
    struct mh_judgement *j =
        mh_judge_file(g, verdict, 0, 0, severity,
                      fired >= MANY_UNITS ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (j) {
        j->fired = fired;
        j->failed = failed;
    }
    return j;
}

/* Twice as much came as was answered, for half of the time: there was no room for more. Who gives
 * up on the slow peer has had its room. */
static bool is_saturated(const struct rush *r)
{
    return r->half_units >= FEW_UNITS && r->half_ok >= FEW_REFUSALS &&
           10 * r->half_units >= 18 * (r->half_ok + r->half_cut);
}

static bool is_crowded(const struct rush *r)
{
    return r->units >= FEW_UNITS && r->most >= CROWDED &&
           r->most >= GROWTH * MH_MAX(r->calm_mean, 1.0) && r->calm_p95 &&
           r->p95 > GROWTH * r->calm_p95;
}

/* ---- MH-0701 ---- */

static int rush_0701(struct mh_grading *g, const struct rush *r)
{
    double share = r->peak > 0 ? r->rate / r->peak : 0;
    struct mh_judgement *j;

    if (!is_saturated(r) || r->w.to - r->w.from < 2 * bin_length(r))
        return 0;
    j = file(g,
             share >= 0.9   ? MH_VERDICT_pass
             : share >= 0.7 ? MH_VERDICT_partial
                            : MH_VERDICT_fail,
             MH_SEVERITY_high, r->half_units, r->half_ok - r->half_good);
    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j,
                  "%.1f answers a second in time at twice the load that there is room "
                  "for, %.1f at best",
                  r->rate, r->peak);
    else
        mh_sentence(
            j->evidence,
            "%u requests came and %u were answered in the second half: more than there is "
            "room for. %.1f a second were answered within deadline and delay, of %.1f at best",
            r->half_units, r->half_ok, r->rate, r->peak);
    return 0;
}

int mh_judge_0701(struct mh_grading *g)
{
    return each_rush(g, rush_0701,
                     "saturation was never reached: at no time did twice as many requests come as "
                     "were answered");
}

/* ---- MH-0702 ---- */

static int rush_0702(struct mh_grading *g, const struct rush *r)
{
    struct mh_judgement *j;

    if (r->units < FEW_UNITS || (!is_crowded(r) && r->door < FEW_REFUSALS))
        return 0;
    j = file(g, r->refused ? MH_VERDICT_pass : MH_VERDICT_fail, MH_SEVERITY_high, r->units,
             r->refused ? 0 : r->units);
    if (!j)
        return -ENOMEM;
    if (r->refused)
        mh_reason(j,
                  "%u of %u requests were refused with 429 or 503, and %u were in flight at most",
                  r->refused, r->units, r->most);
    else
        mh_sentence(
            j->evidence,
            "%u requests were in flight at once, %.1f on average in calm times; p95 rose from %s "
            "to %s, and not one of %u was refused with 429 or 503",
            r->most, r->calm_mean, MH_SPAN(r->calm_p95), MH_SPAN(r->p95), r->units);
    return 0;
}

int mh_judge_0702(struct mh_grading *g)
{
    return each_rush(
        g, rush_0702,
        "never were 32 requests in flight, and ten times as many as in calm times, nor "
        "was any refused at the door while a peer was slow");
}

/* ---- MH-0703 ---- */

/* Ends by the kernel for want of memory, and real refusals of another descriptor. */
static unsigned exhausted(const struct mh_grading *g, const struct rush *r, bool *ret_oom)
{
    unsigned n = 0;

    *ret_oom = false;
    for (size_t i = 0; i < g->m->kernel.ends.n; i++)
        *ret_oom |= g->m->kernel.ends.v[i].oom;
    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];

        n += !o->fault && (o->err == EMFILE || o->err == ENFILE) && a->at >= r->w.from &&
             a->at < r->w.to + 10 * second;
    }
    for (size_t i = 0; i < g->m->spent.n; i++)
        n += g->m->spent.v[i] >= r->w.from && g->m->spent.v[i] < r->w.to + 10 * second;
    return n;
}

static int rush_0703(struct mh_grading *g, const struct rush *r)
{
    unsigned after = 0, ill = 0, files;
    struct mh_judgement *j;
    bool oom, fails;

    if (!is_crowded(r) && !is_saturated(r) && r->door < FEW_REFUSALS)
        return 0;
    files = exhausted(g, r, &oom);
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (!is_counted(g, r, u) || u->begun < r->w.to + 10 * second || u->faulted)
            continue;
        after++;
        ill +=
            mh_unit_failed(u) || u->open || (r->calm_p95 && u->latency > 10 * r->calm_p95 + second);
    }
    fails = oom || files || (after >= 10 && 2 * ill >= after);
    if (!fails && after < 10)
        return 0;
    j = file(g, fails ? MH_VERDICT_fail : MH_VERDICT_pass, MH_SEVERITY_critical, r->units, ill);
    if (!j)
        return -ENOMEM;
    if (!fails && mh_ended_unseen(g, (struct mh_window){r->w.from, r->w.to + 10 * second}))
        mh_judge_lacks(g, j, MH_TIER_K);
    else if (!fails)
        mh_reason(j, "no process was lost to it, and %u of %u requests 10 s later were well",
                  after - ill, after);
    else
        mh_sentence(j->evidence,
                    "%u requests in flight%s%s; 10 s after it %u of %u requests were ill", r->most,
                    oom ? ", a process was killed for want of memory" : "",
                    files ? ", descriptors ran out" : "", ill, after);
    return 0;
}

int mh_judge_0703(struct mh_grading *g)
{
    return each_rush(g, rush_0703,
                     "saturation was never reached, or ten requests were not seen 10 s after it");
}

/* ---- MH-0704 ---- */

static int rush_0704(struct mh_grading *g, const struct rush *r)
{
    bool slow = r->door_p95 > 100 * ms, mute = 2 * r->no_retry_after >= r->door;
    struct mh_judgement *j;

    if (r->door < FEW_REFUSALS)
        return 0;
    j = mh_judge_file(g, slow || mute ? MH_VERDICT_fail : MH_VERDICT_pass, 0, 0, MH_SEVERITY_low,
                      r->door >= FEW_UNITS ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = r->door;
    j->failed = slow ? r->door : mute ? r->no_retry_after : 0;
    if (slow || mute)
        mh_sentence(j->evidence, "%u refusals: p95 %s, %u of them without Retry-After", r->door,
                    MH_SPAN(r->door_p95), r->no_retry_after);
    else
        mh_reason(j, "%u refusals: p95 %s, with Retry-After", r->door, MH_SPAN(r->door_p95));
    return 0;
}

int mh_judge_0704(struct mh_grading *g)
{
    return each_rush(g, rush_0704, "fewer than five requests were refused at the door");
}

/* ---- MH-0705 ---- */

static int rush_0705(struct mh_grading *g, const struct rush *r)
{
    /* refused as often as any other: a quarter of them, or half as often as the rest */
    bool shed = r->probes_no >= 2 && 2.0 * r->probes_no * r->units >= (double)r->door * r->probes;
    struct mh_judgement *j;

    if (r->door < FEW_REFUSALS || r->probes < FEW_PROBES)
        return 0;
    j = file(g,
             shed           ? MH_VERDICT_fail
             : r->probes_no ? MH_VERDICT_unclear
                            : MH_VERDICT_pass,
             MH_SEVERITY_medium, r->probes, r->probes_no);
    if (!j)
        return -ENOMEM;
    if (shed)
        mh_sentence(
            j->evidence,
            "%u of %u health probes were refused while %u of %u requests were: a supervisor "
            "would restart what is only busy",
            r->probes_no, r->probes, r->door, r->units);
    else
        mh_reason(j, "%u of %u health probes were refused while %u of %u requests were",
                  r->probes_no, r->probes, r->door, r->units);
    return 0;
}

int mh_judge_0705(struct mh_grading *g)
{
    return each_rush(g, rush_0705,
                     "five requests refused at the door and three health probes are needed");
}
