/* SPDX-License-Identifier: Apache-2.0 */
/* Did every thread that serves requests stand in a wait without a limit at the same time? Then
 * nobody was left to answer anything, also what needs no peer. A loop is its one thread; servers
 * that start a thread for each connection have no fixed number of them and cannot be judged so. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { UNITS_PER_THREAD = 3 };

struct stand {
    uint32_t act;
    int64_t from, to;
};

struct standing {
    const struct mh_grading *g;
    struct mh_map servers; /* threads that served */
    unsigned nservers;
    MH_VEC(struct stand) stands;
};

/* Threads of all processes that answer; 0 when there is one for each connection. */
static int find_servers(struct standing *s)
{
    unsigned units = 0;

    for (size_t i = 0; i < s->g->m->units.n; i++) {
        const struct mh_unit *u = &s->g->m->units.v[i];
        uint64_t key = mh_thread_key(u->process, u->tid);

        if (u->command || u->open || !u->tid || s->g->m->processes.v[u->process].baseline)
            continue;
        units++;
        if (mh_map_get(&s->servers, key) != MH_MAP_NONE)
            continue;
        if (mh_map_set(&s->servers, key, 1))
            return -ENOMEM;
        s->nservers++;
    }
    if (units < UNITS_PER_THREAD * s->nservers)
        s->nservers = 0;
    return 0;
}

/* The wait lasts until its thread is heard of again, or its request is over. */
static int64_t stands_until(const struct mh_grading *g, size_t i)
{
    const struct mh_act *a = &g->m->acts.v[i];
    const struct mh_unit *u = &g->m->units.v[a->unit - 1];
    int64_t end = g->m->processes.v[a->process].last;

    for (size_t k = i + 1; k < g->m->acts.n && g->m->acts.v[k].process == a->process; k++) {
        const struct mh_act *next = &g->m->acts.v[k];

        /* what tells of this very wait may lie before its end */
        if (next->tid != a->tid)
            continue;
        end = MH_MIN(end, next->until);
        if (next->kind != MH_ACT_op || next->conn != a->conn)
            break;
    }
    return !u->open && u->how != 1 ? MH_MIN(end, u->ended) : end;
}

static int find_stands(struct standing *s)
{
    for (size_t i = 0; i < s->g->m->acts.n; i++) {
        const struct mh_act *a = &s->g->m->acts.v[i];
        struct stand *stand;

        if (a->kind != MH_ACT_wait || a->loop || a->connecting || !a->pending || !a->unit ||
            !a->peer || a->wait.timeout != -1 ||
            mh_map_get(&s->servers, mh_thread_key(a->process, a->tid)) == MH_MAP_NONE)
            continue;
        stand = mh_vec_add(&s->stands);
        if (!stand)
            return -ENOMEM;
        *stand = (struct stand){(uint32_t)i, a->at, stands_until(s->g, i)};
    }
    return 0;
}

/* How long all stood together, with this stand the last one to begin; each thread has one at most
 * at a time. */
static int64_t together(const struct standing *s, const struct stand *last)
{
    int64_t end = last->to;
    unsigned n = 0;

    for (size_t i = 0; i < s->stands.n; i++) {
        const struct stand *o = &s->stands.v[i];

        if (o->from > last->from || o->to <= last->from)
            continue;
        n++;
        end = MH_MIN(end, o->to);
    }
    return n >= s->nservers ? end - last->from : 0;
}

int mh_stall_find(const struct mh_grading *g, struct mh_map *places, struct mh_stall *ret)
{
    struct standing s = {.g = g};
    int64_t least = 1000000000;
    int r = find_servers(&s);

    *ret = (struct mh_stall){0};
    for (size_t i = 0; i < g->m->routes.n; i++)
        least = MH_MAX(least, g->m->routes.v[i].deadline);
    if (!r && s.nservers)
        r = find_stands(&s);
    for (size_t i = 0; i < s.stands.n && !r; i++) {
        const struct stand *last = &s.stands.v[i];
        int64_t span = last->to - last->from >= least ? together(&s, last) : 0;

        if (span < least)
            continue;
        ret->span = MH_MAX(ret->span, span);
        ret->threads = s.nservers;
        for (size_t k = 0; k < s.stands.n && !r; k++) {
            const struct mh_act *a = &g->m->acts.v[s.stands.v[k].act];

            if (s.stands.v[k].from <= last->from && s.stands.v[k].to > last->from)
                r = mh_map_set(places, mh_mix2(a->site, a->peer), 1);
        }
    }
    mh_map_done(&s.servers);
    free(s.stands.v);
    return r;
}
