/* SPDX-License-Identifier: Apache-2.0 */
/* Fault windows by peer, and what each route needs of a peer when all is well; see judge.h. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static bool hit_within(const struct mh_grading *g, uint32_t peer, int64_t from, int64_t to,
                       int64_t *ret_first)
{
    bool hit = false;

    for (size_t i = 0; i < g->m->ops.n; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];

        if (!o->fault || a->peer != peer || a->at < from || (to && a->at >= to) ||
            g->m->processes.v[a->process].baseline)
            continue;
        *ret_first = hit ? MH_MIN(*ret_first, a->at) : a->at;
        hit = true;
    }
    return hit;
}

unsigned mh_windows_of(const struct mh_grading *g, uint32_t peer, struct mh_window *ret,
                       unsigned max)
{
    unsigned n = 0;
    int64_t first = 0;

    for (size_t i = 0; i < g->m->phases.n && n < max; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];

        if (p->faults.n && hit_within(g, peer, p->start, p->end, &first))
            ret[n++] = (struct mh_window){first, p->end ? p->end : g->m->last};
    }
    for (size_t i = 0; i < g->m->faults.n && n < max && !n; i++) {
        const struct mh_fault_seen *f = &g->m->faults.v[i];

        if (f->fired && !f->in_phases && hit_within(g, peer, f->first, f->last + 1, &first))
            ret[n++] = (struct mh_window){first, f->last};
    }
    return n;
}

unsigned mh_unit_asks(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        n += a->kind == MH_ACT_attempt && a->peer == peer;
    }
    return n;
}

int mh_served_port(const struct mh_model *m, uint32_t process)
{
    const struct mh_process *p = &m->processes.v[process];

    for (size_t i = 0; p->listening <= 1 && i < m->processes.n; i++)
        if (m->processes.v[i].pid == p->ppid && m->processes.v[i].host == p->host &&
            m->processes.v[i].listening > 1)
            return m->processes.v[i].listening - 1;
    return p->listening - 1;
}

/* Is this peer a service of this very recording? */
static bool is_recorded(const struct mh_grading *g, uint32_t peer)
{
    for (uint32_t i = 0; peer && i < g->m->processes.n; i++)
        if (g->m->processes.v[i].nunits && g->m->peers.v[peer - 1].port &&
            mh_served_port(g->m, i) == g->m->peers.v[peer - 1].port)
            return true;
    return false;
}

struct mh_need *mh_needs_of(const struct mh_grading *g, uint32_t peer)
{
    struct mh_need *needs = calloc(g->m->routes.n + 1, sizeof(*needs));
    bool *through = calloc(g->m->peers.n + 1, sizeof(*through));

    if (!needs || !through) {
        free(needs);
        free(through);
        return NULL;
    }
    for (uint32_t i = 1; i <= g->m->peers.n; i++)
        through[i] = i == peer || is_recorded(g, i);
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        struct mh_need *n = &needs[u->route];
        unsigned asked = mh_unit_asks(g, u, peer);

        for (uint32_t k = 0; k < u->nacts && !n->ever; k++)
            n->ever = through[g->m->acts.v[g->m->by_unit.v[u->first_act + k]].peer];
        if (!u->calm || u->command)
            continue;
        n->units++;
        n->asking += asked > 0;
        n->attempts += asked;
    }
    free(through);
    return needs;
}

void mh_demand_of(const struct mh_grading *g, uint32_t process, uint32_t peer,
                  const struct mh_need *needs, struct mh_window w, struct mh_demand *ret)
{
    const struct mh_process *p = &g->m->processes.v[process];

    *ret = (struct mh_demand){0};
    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_need *n = &needs[u->route];
        unsigned asked = 0;

        if (u->command || u->begun < w.from || u->begun >= w.to || !n->asking)
            continue;
        ret->units++;
        ret->expected += (double)n->asking / n->units;
        ret->expected_attempts += (double)n->attempts / n->units;
        for (uint32_t k = 0; k < u->nacts; k++) {
            const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + k]];

            if (a->kind != MH_ACT_attempt || a->peer != peer)
                continue;
            asked++;
            /* what was asked in time and answered when it was over tells nothing of it */
            ret->well += a->answered && !a->failed && a->attempt.ended < w.to;
            ret->failed += a->failed;
            ret->blocked += a->failed && a->attempt.ended ? a->attempt.ended - a->at : 0;
            ret->example = ret->example ? ret->example : g->m->by_unit.v[u->first_act + k] + 1;
        }
        ret->asking += asked > 0;
        *(asked ? &ret->slow : &ret->quick) += u->latency;
    }
}
