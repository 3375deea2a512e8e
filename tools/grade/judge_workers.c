/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0203: a worker that was killed has a successor. Judged by what answers requests, whoever
 * starts it: a process that began after the kill and served. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { SUCCESSOR_S = 10, GAP_S = 5, MOST_KILLS = 64 };

struct deaths {
    int64_t at[MOST_KILLS]; /* in order */
    unsigned n;
};

static bool serves(const struct mh_grading *g, const struct mh_process *p)
{
    return p->nunits && !p->baseline && !p->command_run &&
           g->m->units.v[p->first_unit].kind == MH_UNIT_request;
}

static int compare_death(const void *a, const void *b)
{
    return mh_compare_int64(a, b);
}

/* Workers that mishap killed. */
static void find_deaths(const struct mh_grading *g, struct deaths *d)
{
    for (size_t i = 0; i < g->m->processes.n && d->n < MOST_KILLS; i++) {
        const struct mh_process *p = &g->m->processes.v[i];

        if (p->killed_at && serves(g, p))
            d->at[d->n++] = p->killed_at;
    }
    qsort(d->at, d->n, sizeof(d->at[0]), compare_death);
}

/* Processes that were started after `from` and served before `until`. */
static unsigned successors(const struct mh_grading *g, int64_t from, int64_t until)
{
    unsigned n = 0;

    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];

        n += serves(g, p) && p->started > from && g->m->units.v[p->first_unit].begun <= until;
    }
    return n;
}

/* Requests that began in that time; ret_first: when the first of them did. */
static unsigned requests(const struct mh_grading *g, int64_t from, int64_t until,
                         int64_t *ret_first)
{
    unsigned n = 0;

    *ret_first = 0;
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->kind != MH_UNIT_request || u->begun <= from || u->begun > until)
            continue;
        if (!*ret_first || u->begun < *ret_first)
            *ret_first = u->begun;
        n++;
    }
    return n;
}

/* What became of the kills. */
struct tale {
    unsigned replaced, missing, unknown, slow;
    int64_t gap; /* the longest */
    bool alone;  /* nobody answered any more, though somebody had asked every second before */
};

static struct tale tell(const struct mh_grading *g, const struct deaths *d)
{
    struct tale t = {0};
    int64_t first;

    for (unsigned i = 0; i < d->n; i++) {
        int64_t at = d->at[i], until = at + SUCCESSOR_S * second;

        if (successors(g, d->at[0], until) > i)
            t.replaced++;
        else if (g->m->last < until)
            t.unknown++;
        else
            t.missing++;
        if (requests(g, at, INT64_MAX, &first)) {
            t.gap = MH_MAX(t.gap, first - at);
            t.slow += first - at > GAP_S * second;
        } else if (g->m->last >= until && requests(g, at - 10 * second, at, &first) >= 10) {
            t.alone = true;
        }
    }
    return t;
}

static int file(struct mh_grading *g, const struct deaths *d, const struct tale *t)
{
    enum mh_verdict_kind verdict = t->missing   ? MH_VERDICT_fail
                                   : t->unknown ? MH_VERDICT_unclear
                                   : t->slow    ? MH_VERDICT_partial
                                                : MH_VERDICT_pass;
    struct mh_judgement *j =
        mh_judge_file(g, verdict, 0, 0, t->alone ? MH_SEVERITY_critical : MH_SEVERITY_high,
                      d->n >= 3 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = d->n;
    j->failed = t->missing ? t->missing : t->slow;
    if (verdict == MH_VERDICT_unclear)
        mh_reason(j, "the run ended within %d s of the kill", SUCCESSOR_S);
    else if (verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u killed workers had a successor that served within %d s", t->replaced,
                  d->n, SUCCESSOR_S);
    if (verdict == MH_VERDICT_fail)
        mh_sentence(j->evidence, "%u of %u killed workers had no successor that served within %d s",
                    t->missing, d->n, SUCCESSOR_S);
    if (verdict == MH_VERDICT_partial || (verdict == MH_VERDICT_fail && t->gap))
        mh_sentence(j->evidence, "after a kill nobody was served for %s", MH_SPAN(t->gap));
    if (verdict == MH_VERDICT_fail && t->alone)
        mh_sentence(j->evidence,
                    "after the last kill no request was served any more, and the run went on");
    return 0;
}

int mh_judge_0203(struct mh_grading *g)
{
    struct deaths d = {.n = 0};
    struct tale t;

    find_deaths(g, &d);
    if (!d.n)
        return mh_judge_none(g, MH_VERDICT_not_exercised, "no worker was killed",
                             "[fault x] call = recv, side = server, kill = SIGKILL, count = 3, "
                             "per = run");
    t = tell(g, &d);
    if (!(g->facts & MH_FACT_workers) && !t.replaced)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "one process serves, and who would start it again is not seen here",
                             NULL);
    return file(g, &d, &t);
}
