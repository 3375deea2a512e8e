/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2016: an outage is kept in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

enum { FEW_FAULTED = 100, FEW_SAMPLES = 20, FEW_CALM = 10, LIMIT_KB = 1024 };
/* A process that warms up (modules loaded at the first error, arenas of the allocator) grows in a
 * few steps and by a few MiB; what is kept of each request grows with each of them. */
enum { LEAST_KB = 3072, PARTS = 6 };

/* kB that 100 units of one kind added to a process: from the median of the second quarter to that
 * of the last one. */
struct growth {
    unsigned units, samples;
    double per_hundred;
    int64_t from, to;
    bool steady; /* it grew in every part of that time, or nearly, and in none by most of it */
};

static int64_t median(int64_t *v, size_t n)
{
    qsort(v, n, sizeof(*v), mh_compare_int64);
    return mh_quantile(v, n, 0.5);
}

/* v: n samples in their order, which is lost. */
static bool is_steady(int64_t *v, size_t n)
{
    int64_t at[PARTS], most = 0;
    unsigned grew = 0;

    if (n < 2 * PARTS)
        return false;
    for (size_t i = 0; i < PARTS; i++)
        at[i] = median(v + i * n / PARTS, n / PARTS);
    for (size_t i = 1; i < PARTS; i++) {
        grew += at[i] > at[i - 1];
        most = MH_MAX(most, at[i] - at[i - 1]);
    }
    return grew >= PARTS - 2 && 2 * most <= at[PARTS - 1] - at[0];
}

/* Of the calm, w NULL; or of those that a fault hit in one phase: another kind of failure loads
 * other modules, and fills other pools, once. */
static int measure(const struct mh_grading *g, const struct mh_process *p,
                   const struct mh_window *w, struct growth *ret)
{
    int64_t *all = calloc(p->nunits + 1, sizeof(*all));
    size_t n = 0;

    *ret = (struct growth){0};
    if (!all)
        return -ENOMEM;
    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->command || u->open ||
            (w ? !u->faulted || u->begun < w->from || u->begun >= w->to : !u->calm))
            continue;
        ret->units++;
        if (u->rss_kb)
            all[n++] = u->rss_kb;
    }
    ret->samples = (unsigned)n;
    if (n >= 4) {
        int64_t *late = all + n / 4, *copy = malloc((n - n / 4) * sizeof(*copy));

        if (copy) {
            memcpy(copy, late, (n - n / 4) * sizeof(*copy));
            ret->steady = is_steady(copy, n - n / 4);
            free(copy);
        }
        ret->from = median(all + n / 4, n / 4);
        ret->to = median(all + 3 * (n / 4), n - 3 * (n / 4));
        ret->per_hundred = (double)(ret->to - ret->from) * 100 / (ret->units / 2.0);
    }
    free(all);
    return 0;
}

static int file(struct mh_grading *g, const struct growth *hit, const struct growth *calm)
{
    bool grows = hit->per_hundred > LIMIT_KB && hit->per_hundred > 2 * calm->per_hundred &&
                 calm->samples >= FEW_CALM && hit->steady && hit->to - hit->from >= LEAST_KB;
    bool stands = hit->per_hundred <= LIMIT_KB;
    struct mh_judgement *j =
        mh_judge_file(g,
                      grows    ? MH_VERDICT_fail
                      : stands ? MH_VERDICT_pass
                               : MH_VERDICT_unclear,
                      0, 0, MH_SEVERITY_high,
                      hit->units >= 2 * FEW_FAULTED ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = hit->units;
    j->failed = grows ? hit->units : 0;
    if (grows)
        mh_sentence(j->evidence,
                    "memory grew from %.1f to %.1f MiB within half of %u faulted requests: %.1f "
                    "MiB for each 100 of them, %.1f in calm times",
                    (double)hit->from / 1024, (double)hit->to / 1024, hit->units,
                    hit->per_hundred / 1024, MH_MAX(calm->per_hundred, 0.0) / 1024);
    else
        mh_reason(j, "%.2f MiB for each 100 of %u faulted requests%s",
                  MH_MAX(hit->per_hundred, 0.0) / 1024, hit->units,
                  stands ? "" : ": too little, or too few steps, to tell it from a warm-up");
    return 0;
}

static int judge_outage(struct mh_grading *g, const struct mh_window *w)
{
    int r = 0;

    for (size_t i = 0; i < g->m->processes.n && !r; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        struct growth hit, calm;

        if (p->baseline || p->nunits < FEW_FAULTED)
            continue;
        r = measure(g, p, w, &hit);
        if (!r)
            r = measure(g, p, NULL, &calm);
        if (!r && hit.units >= FEW_FAULTED && hit.samples >= FEW_SAMPLES)
            r = file(g, &hit, &calm);
    }
    return r;
}

int mh_judge_2016(struct mh_grading *g)
{
    const struct mh_window all = {INT64_MIN, INT64_MAX};
    size_t before = g->judgements.n;
    bool phases = false;
    int r = 0;

    for (size_t i = 0; i < g->m->phases.n && !r; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];
        struct mh_window w = {p->start, p->end ? p->end : INT64_MAX};

        if (!p->faults.n)
            continue;
        phases = true;
        r = judge_outage(g, &w);
    }
    if (!phases)
        r = judge_outage(g, &all);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than 100 requests of one process were hit by a fault in one phase",
                          "a longer [phase] with the fault, or a stronger load");
    return r;
}
