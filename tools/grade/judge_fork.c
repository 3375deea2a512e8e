/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2013: two processes use one connection, since the one was forked while the other had it. Seen
 * without any fault: a forked process asks on a connection that it never opened. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

enum { MANY_USES = 3, MOST_GENERATIONS = 8 };

/* The process that opened the connection with this number, before this one was forked: parent,
 * grandparent and so on. UINT32_MAX: none is known. */
static uint32_t opener_of(const struct mh_grading *g, uint32_t process, uint64_t id,
                          const struct mh_map *opened)
{
    for (int i = 0; i < MOST_GENERATIONS; i++) {
        const struct mh_process *p = &g->m->processes.v[process];
        uint32_t parent = UINT32_MAX, conn;

        for (uint32_t k = 0; k < g->m->processes.n && p->forked; k++) {
            const struct mh_process *q = &g->m->processes.v[k];

            if (q->pid == p->ppid && q->host == p->host && q->started <= p->started &&
                q->baseline == p->baseline && k != process)
                parent = k;
        }
        if (parent == UINT32_MAX)
            return UINT32_MAX;
        conn = mh_map_get(opened, mh_mix2(parent, id));
        if (conn != MH_MAP_NONE)
            return g->m->conns.v[conn].opened_at <= p->started &&
                           (!g->m->conns.v[conn].closed_at ||
                            g->m->conns.v[conn].closed_at > p->started)
                       ? parent
                       : UINT32_MAX;
        process = parent;
    }
    return UINT32_MAX;
}

/* A request that was answered on an inherited connection, or on one that others have inherited. */
struct use {
    uint64_t key; /* which connection: its opener and number */
    uint32_t act;
};

struct shared {
    MH_VEC(struct use) uses;
    struct mh_map keys; /* of connections that were inherited and used */
};

static bool is_asked(const struct mh_act *a)
{
    return a->kind == MH_ACT_attempt && a->conn && a->attempt.digest && a->answered;
}

static uint64_t key_of(const struct mh_grading *g, const struct mh_act *a,
                       const struct mh_map *opened)
{
    const struct mh_conn *c = &g->m->conns.v[a->conn - 1];
    uint32_t opener = c->opened_at ? a->process : opener_of(g, a->process, c->id, opened);

    return opener == UINT32_MAX ? 0 : mh_mix2(opener, c->id);
}

static int collect(const struct mh_grading *g, const struct mh_map *opened, struct shared *s)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < g->m->acts.n; i++) {
            const struct mh_act *a = &g->m->acts.v[i];
            uint64_t key;
            struct use *u;

            if (!is_asked(a) || g->m->processes.v[a->process].baseline ||
                (!pass && g->m->conns.v[a->conn - 1].opened_at))
                continue;
            key = key_of(g, a, opened);
            if (!pass) {
                if (key && mh_map_set(&s->keys, key, 1))
                    return -ENOMEM;
                continue;
            }
            if (!key || mh_map_get(&s->keys, key) == MH_MAP_NONE)
                continue;
            u = mh_vec_add(&s->uses);
            if (!u)
                return -ENOMEM;
            *u = (struct use){key, i};
        }
    return 0;
}

/* Did another process use it while this one, which uses it, too, was alive and had it? */
static bool is_between(const struct mh_grading *g, const struct mh_act *mine,
                       const struct mh_act *other)
{
    const struct mh_process *p = &g->m->processes.v[mine->process];

    return mine->process != other->process && other->at >= p->started && other->at <= p->last;
}

static int judge_uses(struct mh_grading *g, const struct shared *s)
{
    struct mh_tallies tallies = {0};
    int r = 0;

    for (size_t i = 0; i < s->uses.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[s->uses.v[i].act];
        struct mh_tally *t = NULL;

        for (size_t k = 0; k < s->uses.n; k++) {
            const struct mh_act *b = &g->m->acts.v[s->uses.v[k].act];

            if (s->uses.v[k].key != s->uses.v[i].key || !is_between(g, a, b) ||
                !is_between(g, b, a))
                continue;
            t = mh_tally_of(&tallies, a->site, a->peer);
            if (!t)
                r = -ENOMEM;
            break;
        }
        if (t) {
            t->fired++;
            t->failed++;
            t->example = s->uses.v[i].act + 1;
        }
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        const struct mh_act *a = &g->m->acts.v[t->example - 1];
        struct mh_judgement *j =
            mh_judge_file(g, MH_VERDICT_fail, t->site, t->peer, MH_SEVERITY_critical,
                          t->fired >= MANY_USES ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

        if (!j) {
            r = -ENOMEM;
            break;
        }
        j->fired = j->failed = t->fired;
        j->stack = a->stack;
        mh_sentence(j->evidence,
                    "%u requests to %s went out on a connection that another process used in the "
                    "same time: it was open when this one was forked",
                    t->fired, mh_name_peer(g, t->peer));
    }
    mh_tallies_done(&tallies);
    return r;
}

/* Processes that were forked while a connection was open, and asked its peer on one of their own.
 */
static unsigned own_connections(const struct mh_grading *g)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        bool own = false;

        if (!p->forked || p->baseline)
            continue;
        for (size_t k = 0; k < g->m->conns.n && !own; k++) {
            const struct mh_conn *c = &g->m->conns.v[k];
            const struct mh_process *q = &g->m->processes.v[c->process];

            if (q->pid != p->ppid || q->host != p->host || !c->opened_at || !c->exchanges ||
                c->opened_at > p->started || (c->closed_at && c->closed_at <= p->started))
                continue;
            for (size_t a = p->first_act; a < p->first_act + p->nacts && !own; a++)
                own = is_asked(&g->m->acts.v[a]) && g->m->acts.v[a].peer == c->peer &&
                      g->m->conns.v[g->m->acts.v[a].conn - 1].opened_at;
        }
        n += own;
    }
    return n;
}

/* No connection has two users. */
static int file_unshared(struct mh_grading *g, const struct shared *s)
{
    unsigned own = own_connections(g);
    struct mh_judgement *j;

    if (s->uses.n)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "a connection was handed over a fork, and only one process at a time "
                             "was seen to use it",
                             NULL);
    if (!own)
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "no connection was open when a process was forked", NULL);
    j = mh_judge_file(g, MH_VERDICT_pass, 0, 0, MH_SEVERITY_critical,
                      own >= MANY_USES ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = own;
    mh_reason(j,
              "%u processes were forked while a connection was open, and asked its peer on their "
              "own",
              own);
    return 0;
}

int mh_judge_2013(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    struct mh_map opened = {0};
    struct shared s = {0};
    int r = 0;

    for (uint32_t i = 0; i < g->m->conns.n && !r; i++)
        if (g->m->conns.v[i].opened_at)
            r = mh_map_set(&opened, mh_mix2(g->m->conns.v[i].process, g->m->conns.v[i].id), i);
    if (!r)
        r = collect(g, &opened, &s);
    if (!r)
        r = judge_uses(g, &s);
    if (!r && g->judgements.n == before)
        r = file_unshared(g, &s);
    mh_map_done(&opened);
    mh_map_done(&s.keys);
    free(s.uses.v);
    return r;
}
