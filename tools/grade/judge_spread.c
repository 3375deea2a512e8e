/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about who else suffers, and what is said to them: MH-0402 routes that do not need the peer
 * suffer with it, MH-0404 next to nothing is called a success, MH-1005 the health route says
 * otherwise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t slower_ns = 250000000;
enum { MAX_WINDOWS = 8, FEW_CALM = 5, LEAST_HIT = 5, FEW_HIT = 10, MANY_HIT = 30 };

/* ---- MH-0402 ---- */

struct harm {
    unsigned units, failed, slow, hung;
    uint32_t example; /* unit plus 1 */
};

/* How long it was taken in and not looked at, for want of a thread; unknown where clients connect
 * long before they ask. */
static int64_t stood_by(const struct mh_unit *u, const struct mh_route *r)
{
    return r->calm_queued < slower_ns / 5 ? u->queued : 0;
}

/* Requests of routes that never had to do with the peer, while it was in trouble. */
static void harm_of(const struct mh_grading *g, const struct mh_need *needs, struct mh_window w,
                    struct harm *h)
{
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_route *r = &g->m->routes.v[u->route - 1];
        int64_t queued = stood_by(u, r), begun = u->begun - queued, latency = u->latency + queued;
        bool slow, failed;

        if (u->command || u->faulted || u->touched || u->how == 1 || needs[u->route].ever ||
            r->health || r->calm < FEW_CALM || begun < w.from || begun >= w.to ||
            g->m->processes.v[u->process].baseline)
            continue;
        slow = latency > 3 * r->calm_p95 && latency > r->calm_p95 + slower_ns;
        failed = mh_unit_failed(u) && !r->calm_failed;
        if (u->open && u->ended - begun < r->deadline)
            continue;
        h->units++;
        h->failed += failed;
        h->slow += slow && !failed;
        h->hung += u->open || (!failed && latency >= r->deadline);
        if ((slow || failed || u->open) && !h->example)
            h->example = (uint32_t)i + 1;
    }
}

static int file_0402(struct mh_grading *g, uint32_t peer, const struct harm *h)
{
    unsigned bad = h->failed + MH_MAX(h->slow, h->hung), worst = h->failed + h->hung;
    /* of a handful it must be half; who blocks everybody also leaves few to be seen */
    enum mh_verdict_kind verdict = (h->units >= FEW_HIT ? 5 : 2) * bad >= h->units ? MH_VERDICT_fail
                                   : 20 * bad <= h->units                          ? MH_VERDICT_pass
                                                          : MH_VERDICT_unclear;
    struct mh_judgement *j = mh_judge_file(
        g, verdict, 0, peer, 2 * worst >= h->units ? MH_SEVERITY_critical : MH_SEVERITY_high,
        h->units >= MANY_HIT ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = h->units;
    j->failed = bad;
    if (verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u requests that do not need %s were as ever", h->units - bad, h->units,
                  mh_name_peer(g, peer));
    else if (verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%u of %u requests that do not need %s failed or were slow: too few to tell "
                  "from chance",
                  bad, h->units, mh_name_peer(g, peer));
    else
        mh_sentence(j->evidence,
                    "while %s was in trouble, %u of %u requests that never use it failed, %u were "
                    "more than 250 ms and three times slower than when all is well; %s, for one",
                    mh_name_peer(g, peer), h->failed, h->units, MH_MAX(h->slow, h->hung),
                    h->example ? mh_name_route(g, h->example) : "");
    return 0;
}

int mh_judge_0402(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++) {
        struct mh_window windows[MAX_WINDOWS];
        unsigned n = mh_windows_of(g, peer, windows, MAX_WINDOWS);
        struct mh_need *needs = n ? mh_needs_of(g, peer) : NULL;
        struct harm h = {0}, most = {0};

        if (n && !needs)
            return -ENOMEM;
        for (unsigned i = 0; i < n; i++) {
            h = (struct harm){0};
            harm_of(g, needs, windows[i], &h);
            if (h.units >= LEAST_HIT &&
                (!most.units || (uint64_t)(h.failed + h.slow) * most.units >
                                    (uint64_t)(most.failed + most.slow) * h.units))
                most = h;
        }
        if (most.units)
            r = file_0402(g, peer, &most);
        free(needs);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than five requests of routes that do not need the peer, while it "
                          "was in trouble",
                          NULL);
    return r;
}

/* ---- MH-0404 ---- */

static const struct mh_path_seen *usual(const struct mh_grading *g, const struct mh_unit *u)
{
    uint32_t have = mh_map_get(&g->m->path_keys, u->path);

    return have == MH_MAP_NONE ? NULL : &g->m->paths.v[have];
}

static double value_0404(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_path_seen *p = usual(g, u);

    if (!t->error || t->outcome != MH_OUTCOME_degraded || u->status < 200 || u->status > 299 ||
        !p || p->bodies < 2 || p->flaky_status || p->bytes < 20)
        return MH_NOT_MINE;
    return t->logged || 10 * u->bytes >= p->bytes ? 1 : 0;
}

bool mh_trial_hollow(struct mh_grading *g, const struct mh_trial *t)
{
    return value_0404(g, t) == 0;
}

int mh_judge_0404(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0404);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(g, t, MH_SEVERITY_medium);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t,
                          "were answered 2xx with less than a tenth of the usual body, unlogged,");
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no request under fault was answered well with another body", NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-1005 ---- */

enum { OUTAGE_S = 30, ENOUGH_UNITS = 20, ENOUGH_PROBES = 3 };

struct health {
    unsigned units, failed, probes, fine, live, live_failed;
    uint32_t probe; /* unit plus 1 */
};

static bool is_liveness(const char *route)
{
    const char *slash = strrchr(route, '/');

    return slash && (!strncmp(slash, "/live", 5) || !strncmp(slash, "/alive", 6));
}

static void health_of(const struct mh_grading *g, int64_t from, int64_t to, struct health *h)
{
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_route *r = &g->m->routes.v[u->route - 1];

        if (u->command || u->open || u->how == 1 || u->begun < from || u->begun >= to ||
            g->m->processes.v[u->process].baseline)
            continue;
        if (!r->health) {
            h->units++;
            h->failed += mh_unit_failed(u);
            continue;
        }
        h->probes++;
        h->fine += u->status == 200;
        h->probe = (uint32_t)i + 1;
        if (is_liveness(mh_model_text(g->m, r->name)) && r->calm && !r->calm_failed) {
            h->live++;
            h->live_failed += u->status >= 500;
        }
    }
}

static bool liveness_fails(const struct health *h)
{
    return h->live >= ENOUGH_PROBES && 3 * h->live_failed >= 2 * h->live;
}

static int file_1005(struct mh_grading *g, const struct health *h)
{
    bool outage = h->units >= ENOUGH_UNITS && 5 * h->failed >= 4 * h->units &&
                  h->probes > h->live && h->probes - h->live >= ENOUGH_PROBES;
    bool liveness = liveness_fails(h);
    bool lies = outage && h->fine == h->probes;
    struct mh_judgement *j;

    if (!outage && h->live < ENOUGH_PROBES)
        return 0;
    j = mh_judge_file(g, lies || liveness ? MH_VERDICT_fail : MH_VERDICT_pass, 0, 0,
                      MH_SEVERITY_medium,
                      h->probes >= 10 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = h->probes;
    j->failed = lies ? h->fine : liveness ? h->live_failed : 0;
    if (liveness)
        mh_sentence(j->evidence,
                    "%u of %u liveness probes failed while a dependency was down: a supervisor "
                    "would restart a process that is well",
                    h->live_failed, h->live);
    else if (lies)
        mh_sentence(j->evidence, "%u of %u requests failed, and all %u answers of %s were 200",
                    h->failed, h->units, h->probes, mh_name_route(g, h->probe));
    else
        mh_reason(j, "%u of %u health probes were 200 while %u of %u requests failed", h->fine,
                  h->probes, h->failed, h->units);
    return 0;
}

int mh_judge_1005(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (size_t i = 0; i < g->m->phases.n && !r; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];
        int64_t end = p->end ? p->end : g->m->last;
        struct health h = {0};

        if (!p->faults.n)
            continue;
        health_of(g, p->start, end, &h);
        /* a probe that fails is enough to restart what is well; that one never would takes longer
         */
        if (end - p->start < OUTAGE_S * second && !liveness_fails(&h))
            continue;
        r = file_1005(g, &h);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no outage of 30 s in which four of five requests failed and the health "
                          "route was asked",
                          "a [phase] of 40s with the fault");
    return r;
}
