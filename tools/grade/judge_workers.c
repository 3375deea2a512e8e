/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that are lost. MH-0203: one that was killed has a successor, whoever starts it: a process
 * that began after the kill and served. MH-2014: none is left, and the port is still open. */
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

/* ---- MH-2014 ---- */

enum { ZOMBIE_S = 5, MANY_WAITING = 3 };

/* Who stands behind a port when the run is to be stopped. */
struct crew {
    unsigned alive, dead, killed; /* of those that have served there; killed: not by themselves */
    unsigned fresh;               /* began after the last answer, and may still come to serve */
    bool injected, open;
    unsigned waiting, holders;
    int64_t last_served;
};

static bool holds(const struct mh_grading *g, int port, int pid)
{
    for (size_t i = 0; i < g->m->listeners.n; i++) {
        const struct mh_listener_seen *l = &g->m->listeners.v[i];

        for (unsigned k = 0; k < l->nholders; k++)
            if (l->port == port && l->holders[k] == pid)
                return true;
    }
    return false;
}

static int64_t last_answer(const struct mh_grading *g, int port)
{
    int64_t last = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->kind == MH_UNIT_request && !u->open && u->how != 2 &&
            mh_served_port(g->m, u->process) == port)
            last = MH_MAX(last, u->ended);
    }
    return last;
}

static struct crew crew_of(const struct mh_grading *g, int port)
{
    struct crew c = {.last_served = last_answer(g, port)};

    for (size_t i = 0; i < g->m->listeners.n; i++)
        if (g->m->listeners.v[i].port == port) {
            c.open = true;
            c.waiting += g->m->listeners.v[i].waiting;
            c.holders = MH_MAX(c.holders, g->m->listeners.v[i].nholders);
        }
    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        bool there = holds(g, port, p->pid);

        if (p->baseline || p->started > g->m->looked_at)
            continue;
        if (serves(g, p) && mh_served_port(g->m, (uint32_t)i) == port) {
            c.alive += there;
            c.dead += !there;
            c.killed += !there && !p->exited;
            c.injected |= !there && p->killed_at;
        } else if (there && p->started > c.last_served)
            c.fresh++;
    }
    return c;
}

static enum mh_verdict_kind verdict_2014(const struct mh_grading *g, const struct crew *c)
{
    if (c->alive || !c->open)
        return MH_VERDICT_pass;
    return c->waiting && !c->fresh && g->m->looked_at - c->last_served >= ZOMBIE_S * second
               ? MH_VERDICT_fail
               : MH_VERDICT_unclear;
}

static int file_2014(struct mh_grading *g, int port, const struct crew *c)
{
    enum mh_verdict_kind verdict = verdict_2014(g, c);
    int64_t silence = g->m->looked_at - c->last_served;
    struct mh_judgement *j =
        mh_judge_file(g, verdict, 0, 0, MH_SEVERITY_critical,
                      verdict == MH_VERDICT_fail
                          ? (c->waiting >= MANY_WAITING ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium)
                      : c->killed >= MANY_WAITING ? MH_CONFIDENCE_high
                                                  : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = c->dead;
    j->failed = verdict == MH_VERDICT_fail ? c->dead : 0;
    j->observed = !c->injected;
    if (verdict == MH_VERDICT_fail) {
        mh_sentence(j->evidence,
                    "all %u processes that had answered at port %d were gone, the port was still "
                    "open in %u others, and %u clients had connected that nobody took",
                    c->dead, port, c->holders, c->waiting);
        mh_sentence(j->evidence, "the last answer was given %s before", MH_SPAN(silence));
    } else if (c->alive)
        mh_reason(j, "%u of %u processes that answered at port %d were gone, and %u still served",
                  c->dead, c->dead + c->alive, port, c->alive);
    else if (!c->open)
        mh_reason(j,
                  "all %u processes that answered at port %d were gone, and the port was closed "
                  "with them: clients are refused at once",
                  c->dead, port);
    else if (c->fresh)
        mh_reason(j,
                  "all that answered at port %d were gone, but %u that began since may yet serve",
                  port, c->fresh);
    else
        mh_reason(j, "all that answered at port %d were gone and it was open, but %s", port,
                  c->waiting ? "that was so for too short a time" : "no client came");
    return 0;
}

/* Deaths that no look at the end tells more of. */
static int none_2014(struct mh_grading *g)
{
    struct deaths d = {.n = 0};

    find_deaths(g, &d);
    if (d.n && !g->m->looked_at)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "workers were killed, and who held the port then was not looked at: "
                             "only `mishap run` does",
                             NULL);
    return mh_judge_none(g, MH_VERDICT_not_exercised, "no process that served was lost",
                         "[fault x] call = recv, side = server, kill = SIGKILL, count = 3, "
                         "per = run");
}

int mh_judge_2014(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int ports[MOST_KILLS];
    unsigned n = 0;

    for (size_t i = 0; i < g->m->processes.n && g->m->looked_at; i++) {
        int port = mh_served_port(g->m, (uint32_t)i);
        struct crew c;
        bool known = port <= 0 || n == MOST_KILLS || !serves(g, &g->m->processes.v[i]);

        for (unsigned k = 0; k < n && !known; k++)
            known = ports[k] == port;
        if (known)
            continue;
        ports[n++] = port;
        c = crew_of(g, port);
        if ((c.killed || (c.dead && !c.alive && c.open)) && file_2014(g, port, &c))
            return -ENOMEM;
    }
    return g->judgements.n == before ? none_2014(g) : 0;
}
