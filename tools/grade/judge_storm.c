/* SPDX-License-Identifier: Apache-2.0 */
/* MH-1003: a storm of records, many for each thing that failed. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

enum { STORM_LINES = 20, PER_FAILURE = 10 };

static bool is_report(const struct mh_act *l)
{
    return l->log.level >= MH_LEVEL_warning || l->log.traceback;
}

/* By unit: how many things failed in it, tries of one thing counted once; how many reports it has,
 * of any kind and of each. */
struct counts {
    struct mh_map tries, things, reports, same;
    struct mh_map last; /* of its attempts that failed: act index plus 1 */
    bool *own;          /* by index in g->logs: may be the first record of one of these things */
};

static unsigned count_of(const struct mh_map *map, uint64_t key)
{
    uint32_t n = mh_map_get(map, key);

    return n == MH_MAP_NONE ? 0 : n;
}

/* Calls of a peer that failed: a request that makes four of them is four things, four tries of one
 * are not. */
static int learn_things(const struct mh_grading *g, struct counts *c)
{
    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (s->unit && s->attempts > count_of(&c->tries, s->unit) &&
            mh_map_set(&c->tries, s->unit, s->attempts))
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        uint32_t before;

        if (a->kind != MH_ACT_attempt || !a->unit || (!a->failed && a->attempt.status < 500))
            continue;
        before = count_of(&c->last, a->unit);
        if (mh_map_set(&c->last, a->unit, i + 1))
            return -ENOMEM;
        if (before && mh_is_next_address(&g->m->acts.v[before - 1], a))
            continue;
        if (mh_map_set(&c->things, a->unit, count_of(&c->things, a->unit) + 1))
            return -ENOMEM;
    }
    return 0;
}

static unsigned things_of(const struct counts *c, uint32_t unit)
{
    unsigned failed = count_of(&c->things, unit), tries = count_of(&c->tries, unit);

    return MH_MAX(failed / MH_MAX(tries, 1u), 1u);
}

static int learn_reports(const struct mh_grading *g, struct counts *c)
{
    c->own = calloc(g->logs.n + 1, sizeof(*c->own));
    if (!c->own)
        return -ENOMEM;
    for (size_t i = 0; i < g->logs.n; i++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];
        uint64_t key = mh_mix2(l->unit, l->log.same);
        unsigned before = count_of(&c->same, key);

        if (!l->unit || l->ambiguous || !is_report(l) || mh_grading_unit(g, l->unit)->command)
            continue;
        c->own[i] = before < things_of(c, l->unit);
        if (mh_map_set(&c->same, key, before + 1) ||
            mh_map_set(&c->reports, l->unit, count_of(&c->reports, l->unit) + 1))
            return -ENOMEM;
    }
    return 0;
}

/* The most equal lines of a process within one second; *ret_units: requests in which they were
 * written, or things that failed in them. */
static unsigned densest(const struct mh_grading *g, const struct counts *c, size_t i,
                        unsigned *ret_units)
{
    const struct mh_act *first = &g->m->acts.v[g->logs.v[i]];
    unsigned n = 0, units = 0;
    uint32_t unit = 0;

    for (size_t k = i; k < g->logs.n; k++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[k]];

        if (l->at >= first->at + second)
            break;
        if (l->process != first->process || l->log.same != first->log.same || !is_report(l))
            continue;
        n++;
        units += !l->unit || l->unit != unit || c->own[k];
        unit = l->unit;
    }
    *ret_units = units;
    return n;
}

/* The most tries of one thing in a run of a command: a record of each, over and over, is a storm,
 * where records of as many things that failed are not. */
static unsigned most_tries(const struct mh_grading *g)
{
    unsigned most = 0;

    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (s->unit && mh_grading_unit(g, s->unit)->command)
            most = MH_MAX(most, s->attempts);
    }
    return most;
}

/* Records of one request that report failures, equal or not: of the one that has the most for each
 * thing that failed. */
static unsigned most_of_a_unit(const struct mh_grading *g, const struct counts *c, double *ret_each,
                               unsigned *ret_failures)
{
    unsigned most = 0;

    *ret_each = 0;
    for (uint32_t unit = 1; unit <= g->m->units.n; unit++) {
        unsigned n = count_of(&c->reports, unit);
        double each = (double)n / things_of(c, unit);

        if (each > *ret_each) {
            *ret_each = each;
            most = n;
        }
    }
    *ret_failures = 0;
    for (size_t i = 0; i < g->trials.n; i++)
        *ret_failures += g->trials.v[i].error && count_of(&c->reports, g->trials.v[i].unit);
    return most;
}

static int judge(struct mh_grading *g, const struct counts *c)
{
    double each;
    unsigned lines = 0, units = 1, failures, per_unit = most_of_a_unit(g, c, &each, &failures);
    struct mh_judgement *j;
    bool storm, command = false;

    for (size_t i = 0; i < g->logs.n; i++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];
        unsigned n, in;

        if (!is_report(l) || !l->log.same)
            continue;
        n = densest(g, c, i, &in);
        if (n > lines) {
            lines = n;
            units = MH_MAX(in, 1);
            command = l->unit && mh_grading_unit(g, l->unit)->command;
        }
    }
    if (command && lines > STORM_LINES) {
        failures = most_tries(g);
        units = failures >= lines ? 1 : lines;
    }
    if (!failures)
        return mh_judge_none(g, MH_VERDICT_not_exercised, "no failure of a request was recorded",
                             NULL);
    storm = each > PER_FAILURE || (lines > STORM_LINES && lines >= 3 * units);
    j = mh_judge_file(g,
                      storm                 ? MH_VERDICT_fail
                      : lines > STORM_LINES ? MH_VERDICT_unclear
                                            : MH_VERDICT_pass,
                      0, 0, MH_SEVERITY_medium,
                      failures >= 3 ? MH_CONFIDENCE_medium : MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    j->fired = failures;
    j->failed = storm ? failures : 0;
    if (storm && command)
        mh_sentence(j->evidence, "up to %u equal lines in one second, of one thing tried %u times",
                    lines, failures);
    else if (storm)
        mh_sentence(
            j->evidence,
            "up to %u records of failure in one request, up to %u equal lines in one second",
            per_unit, lines);
    else if (j->verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%u equal lines in one second, but hardly more than one for each request or call "
                  "that failed: this load gives that many",
                  lines);
    else
        mh_reason(j, "records in one request: %u at most; equal lines in one second: %u at most",
                  per_unit, lines);
    return 0;
}

int mh_judge_1003(struct mh_grading *g)
{
    struct counts c = {0};
    int r = learn_things(g, &c);

    if (!r)
        r = learn_reports(g, &c);
    if (!r)
        r = judge(g, &c);
    mh_map_done(&c.tries);
    mh_map_done(&c.things);
    mh_map_done(&c.reports);
    mh_map_done(&c.same);
    mh_map_done(&c.last);
    free(c.own);
    return r;
}
