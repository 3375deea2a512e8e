/* SPDX-License-Identifier: Apache-2.0 */
/* What is known only when all files were read: when faults were in force, which units were calm,
 * and what each route answers when all is well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "model/load.h"

#include "base/banned.h"

enum { DEADLINE_FLOOR_NS = 1000000000, DEADLINE_FACTOR = 10 };

int mh_compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int64_t mh_quantile(const int64_t *sorted, size_t n, double q)
{
    size_t i = (size_t)(q * (double)n);

    return n ? sorted[MH_MIN(i, n - 1)] : 0;
}

bool mh_model_fault_active(const struct mh_model *m, int64_t at)
{
    for (size_t i = 0; i < m->phases.n; i++) {
        const struct mh_phase_seen *p = &m->phases.v[i];

        if (p->faults.n && at >= p->start && (!p->end || at < p->end))
            return true;
    }
    for (size_t i = 0; i < m->faults.n; i++) {
        const struct mh_fault_seen *f = &m->faults.v[i];

        if (f->fired && !f->in_phases && at >= f->first && at <= f->last)
            return true;
    }
    return false;
}

static void settle_times(struct mh_model *m)
{
    for (size_t i = 0; i < m->processes.n; i++) {
        const struct mh_process *p = &m->processes.v[i];

        if (p->baseline || (!p->recorded && !p->nunits && !p->nacts))
            continue;
        m->first = m->first ? MH_MIN(m->first, p->started) : p->started;
        m->last = MH_MAX(m->last, p->last);
    }
    if (!m->origin)
        m->origin = m->first;
    m->calm_until = m->first_fault && m->fired ? m->first_fault : INT64_MAX;
    for (size_t i = 0; i < m->phases.n; i++) {
        struct mh_phase_seen *p = &m->phases.v[i];

        p->start += m->origin;
        p->end += p->end ? m->origin : 0;
        if (p->faults.n && m->fired)
            m->calm_until = MH_MIN(m->calm_until, p->start);
    }
}

static void settle_common_dir(struct mh_model *m)
{
    const char *common = NULL;
    size_t n = 0;
    int64_t text;

    for (size_t i = 0; i < m->sites.n; i++) {
        const struct mh_site *s = &m->sites.v[i];

        for (unsigned k = 0; s->app && k < s->nframes; k++) {
            const char *file = mh_model_text(m, s->frames[k].file), *slash = strrchr(file, '/');
            size_t dir = slash ? (size_t)(slash - file) + 1 : 0, same = 0;

            if (!common) {
                common = file;
                n = dir;
            }
            while (same < n && same < dir && common[same] == file[same])
                same++;
            n = same;
        }
    }
    while (n && common[n - 1] != '/')
        n--;
    text = common ? mh_texts_add(&m->texts, common, n) : 0;
    m->common_dir = text > 0 ? (uint32_t)text : 0;
}

/* Steps of one operation become neighbours and keep their order: a counting sort. */
static int settle_steps(struct mh_model *m)
{
    struct mh_step_seen *to = calloc(m->steps.n + 1, sizeof(*to));
    uint32_t at = 0;

    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < m->steps.n; i++)
        m->ops.v[m->steps.v[i].op].nsteps++;
    for (size_t i = 0; i < m->ops.n; i++) {
        m->ops.v[i].steps = at;
        at += m->ops.v[i].nsteps;
        m->ops.v[i].nsteps = 0;
    }
    for (size_t i = 0; i < m->steps.n; i++) {
        struct mh_op_seen *o = &m->ops.v[m->steps.v[i].op];

        to[o->steps + o->nsteps++] = m->steps.v[i];
    }
    free(m->steps.v);
    m->steps.v = to;
    m->steps.cap = m->steps.n + 1;
    return 0;
}

/* Bodies only when their digests have one key; an old baseline does not tell which key it has. */
static void learn(const struct mh_model *m, struct mh_path_seen *p, const struct mh_unit *u)
{
    const struct mh_process *from = &m->processes.v[u->process];

    if (!p->calm++)
        p->status = u->status;
    p->flaky_status |= p->status != u->status;
    if (from->baseline && !from->digests)
        return;
    if (!p->bodies) {
        p->digests = from->digests;
        p->digest = u->digest;
        p->keys = u->keys;
        p->nkeys = u->nkeys;
        p->bytes = u->bytes;
    } else if (p->digests != from->digests) {
        return;
    }
    p->bodies++;
    p->flaky_body |= p->digest != u->digest;
    p->flaky_keys |= p->keys != u->keys;
}

static int learn_path(struct mh_model *m, const struct mh_unit *u)
{
    uint32_t have = mh_map_get(&m->path_keys, u->path);

    if (have == MH_MAP_NONE) {
        have = (uint32_t)m->paths.n;
        if (!mh_vec_add(&m->paths) || mh_map_set(&m->path_keys, u->path, have))
            return -ENOMEM;
    }
    learn(m, &m->paths.v[have], u);
    return 0;
}

/* What a calm unit tells of its route, its path and the places of its calls. */
static int learn_calm(struct mh_model *m, const struct mh_unit *u)
{
    struct mh_route *r = &m->routes.v[u->route - 1];

    m->calm_units++;
    r->calm++;
    r->calm_failed += mh_unit_failed(u);
    r->calm_queued = MH_MAX(r->calm_queued, u->queued);
    learn(m, &r->usual, u);
    if (learn_path(m, u))
        return -ENOMEM;
    for (uint32_t k = 0; k < u->nacts; k++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + k]];

        if (a->kind == MH_ACT_attempt && a->site)
            m->sites.v[a->site - 1].calm_calls++;
    }
    return 0;
}

/* A run that only watches has no calm phase and no faulty one: what really failed there is judged,
 * as observed, and is not what this application is like in calm times. */
static int settle_calm(struct mh_model *m, bool baseline)
{
    bool watching = !m->faults.n;

    for (size_t i = 0; i < m->units.n; i++) {
        struct mh_unit *u = &m->units.v[i];
        struct mh_route *r = &m->routes.v[u->route - 1];

        if (m->processes.v[u->process].baseline != baseline)
            continue;
        u->calm = !u->open && !u->faulted && !(watching && u->touched) &&
                  (baseline || u->ended < m->calm_until);
        if (u->calm && u->how != 1 && learn_calm(m, u))
            return -ENOMEM;
        if (!u->touched && !u->open && !mh_unit_failed(u) && (u->status || (u->sealed && !u->how)))
            r->last_ok = MH_MAX(r->last_ok, u->ended);
    }
    return 0;
}

/* Latencies of each route while all was calm; the deadline follows from them. */
static int settle_routes(struct mh_model *m)
{
    int64_t *all = calloc(m->units.n + 1, sizeof(*all));
    size_t *at = calloc(m->routes.n + 1, sizeof(*at)), sum = 0;

    if (!all || !at) {
        free(all);
        free(at);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->routes.n; i++) {
        at[i] = sum;
        sum += m->routes.v[i].calm;
    }
    for (size_t i = 0; i < m->units.n; i++)
        if (m->units.v[i].calm && m->units.v[i].how != 1)
            all[at[m->units.v[i].route - 1]++] = m->units.v[i].latency;
    for (size_t i = 0; i < m->routes.n; i++) {
        struct mh_route *r = &m->routes.v[i];
        int64_t *own = all + at[i] - r->calm;

        qsort(own, r->calm, sizeof(*own), mh_compare_int64);
        r->calm_p50 = mh_quantile(own, r->calm, 0.5);
        r->calm_p95 = mh_quantile(own, r->calm, 0.95);
        r->calm_p99 = mh_quantile(own, r->calm, 0.99);
        r->deadline = MH_MAX((int64_t)DEADLINE_FLOOR_NS,
                             DEADLINE_FACTOR * MH_MIN(r->calm_p99, INT64_C(1) << 58));
    }
    free(all);
    free(at);
    return 0;
}

/* Peers that never answer anybody, and of whom no read failed: they only take (statsd, a collector
 * of logs). A connection to one that is closed was not given up. */
static int settle_mute(struct mh_model *m)
{
    bool *talks = calloc(m->peers.n + 1, sizeof(bool));

    if (!talks)
        return -ENOMEM;
    for (size_t i = 0; i < m->acts.n; i++)
        talks[m->acts.v[i].peer] |= m->acts.v[i].kind == MH_ACT_attempt && m->acts.v[i].answered;
    for (size_t i = 0; i < m->ops.n; i++)
        talks[m->acts.v[m->ops.v[i].act].peer] |= m->ops.v[i].kind == MH_OP_recv;
    for (size_t i = 0; i < m->acts.n; i++) {
        struct mh_act *a = &m->acts.v[i];

        if (a->kind != MH_ACT_attempt || !a->failed || a->attempt.err != ETIMEDOUT ||
            !a->attempt.digest || talks[a->peer])
            continue;
        a->failed = false;
        a->attempt.err = 0;
    }
    free(talks);
    return 0;
}

/* What it is once it was seen: a message, or the number of times that it was the last. */
enum { MESSAGE = 0, FAREWELLS = 2 };

static bool is_raw(const struct mh_act *a)
{
    return a->kind == MH_ACT_attempt && a->attempt.digest && !a->attempt.text && a->peer;
}

static bool in_request(const struct mh_model *m, const struct mh_act *a)
{
    return a->unit && !m->units.v[a->unit - 1].command;
}

/* The peer closed in answer to it, and no request was in the way of the connection. */
static bool has_parted(const struct mh_model *m, const struct mh_act *a)
{
    return a->pooled && a->failed && !a->attempt.err && !in_request(m, a);
}

static int learn_farewell(const struct mh_model *m, struct mh_map *seen, const struct mh_act *a)
{
    uint64_t key = mh_mix2(a->peer, a->attempt.digest);
    uint32_t n = mh_map_get(seen, key);

    if (a->answered || !a->pooled)
        return mh_map_set(seen, key, MESSAGE);
    if (n == MESSAGE || !has_parted(m, a))
        return 0;
    return mh_map_set(seen, key, n == MH_MAP_NONE ? 1 : FAREWELLS);
}

/* Some protocols part with a message that is answered by closing (PostgreSQL's Terminate, COM_QUIT
 * of MySQL): the same bytes at the end of several connections that had served, never answered
 * otherwise, never in a request. That the stream ends is then no failure. HTTP and redis have none
 * that is not answered; what kills its server is seen on fresh connections too, and what a stale
 * pool swallows is asked again. */
static int settle_farewells(struct mh_model *m)
{
    struct mh_map seen = {0};
    int r = 0;

    for (size_t i = 0; i < m->acts.n && !r; i++)
        if (is_raw(&m->acts.v[i]))
            r = learn_farewell(m, &seen, &m->acts.v[i]);
    for (size_t i = 0; i < m->acts.n && !r; i++) {
        struct mh_act *a = &m->acts.v[i];

        if (is_raw(a) && has_parted(m, a) &&
            mh_map_get(&seen, mh_mix2(a->peer, a->attempt.digest)) == FAREWELLS)
            a->failed = false;
    }
    mh_map_done(&seen);
    return r;
}

int mh_model_settle(struct mh_model *m)
{
    int r = settle_mute(m);

    if (!r)
        r = settle_farewells(m);
    if (r)
        return r;
    settle_times(m);
    mh_tasks_settle(m);
    mh_redis_settle(m);
    settle_common_dir(m);
    r = settle_steps(m);
    if (!r)
        r = settle_calm(m, false); /* first: bodies are compared with what has the run's key */
    if (!r)
        r = settle_calm(m, true);
    return r ? r : settle_routes(m);
}
