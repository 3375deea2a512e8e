/* SPDX-License-Identifier: Apache-2.0 */
/* To which unit of work does a call belong? The recorder knows at times; else the task that sent
 * the response, the thread that served it, the request on the same connection, or, for a worker
 * thread of an asynchronous server, the only unit in flight; of several the likeliest, marked
 * ambiguous. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "model/load.h"

#include "base/banned.h"

enum { CHAIN = 32 }; /* pieces that one another began */

struct worker {
    uint64_t calls, alone; /* calls without a known unit; of these, with none in flight */
    int64_t first, last;
    uint32_t unit; /* that it works for now, plus 1 */
    bool sure;
};

struct sweep {
    struct mh_model *m;
    const struct mh_process *p;
    uint32_t *by_task, *by_tid, *by_begin, *acts; /* indices in the model's lists */
    size_t ntask, ntid, nbegin;
    uint32_t *active;
    size_t nactive, next;
    struct mh_map workers, routes_of_site, loops; /* loops: threads that an event loop is on */
    MH_VEC(struct worker) list;
};

static const struct mh_model *sort_model; /* qsort has no context argument in C11 */

static int by_number(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_task(const void *a, const void *b)
{
    const struct mh_unit *x = &sort_model->units.v[*(const uint32_t *)a];
    const struct mh_unit *y = &sort_model->units.v[*(const uint32_t *)b];
    int r = by_number(x->task, y->task);

    return r ? r : by_number((uint64_t)x->begun, (uint64_t)y->begun);
}

static int compare_tid(const void *a, const void *b)
{
    const struct mh_unit *x = &sort_model->units.v[*(const uint32_t *)a];
    const struct mh_unit *y = &sort_model->units.v[*(const uint32_t *)b];
    int r = by_number(x->tid, y->tid);

    return r ? r : by_number((uint64_t)x->begun, (uint64_t)y->begun);
}

static int compare_begin(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int r =
        by_number((uint64_t)sort_model->units.v[x].begun, (uint64_t)sort_model->units.v[y].begun);

    return r ? r : by_number(x, y);
}

static int compare_act(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int r = by_number((uint64_t)sort_model->acts.v[x].at, (uint64_t)sort_model->acts.v[y].at);

    return r ? r : by_number(x, y);
}

/* The unit of this key in flight at `at`: keys are sorted, units of one key do not overlap. */
static uint32_t find(const struct sweep *s, const uint32_t *list, size_t n, uint64_t key, bool task,
                     int64_t at)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct mh_unit *u = &s->m->units.v[list[mid]];
        uint64_t k = task ? u->task : u->tid;

        if (k < key || (k == key && u->begun <= at))
            low = mid + 1;
        else
            high = mid;
    }
    if (low) {
        const struct mh_unit *u = &s->m->units.v[list[low - 1]];

        if ((task ? u->task : u->tid) == key && u->begun <= at && u->ended >= at)
            return list[low - 1] + 1;
    }
    return 0;
}

/* Whose work a piece is: told by the recorder, or that of the task or thread that began it, then.
 */
static uint32_t unit_of_piece(const struct sweep *s, uint32_t number)
{
    uint32_t unit = 0;
    struct mh_piece *p;

    for (int i = 0; i < CHAIN && number && !unit; i++, number = p->by) {
        p = &s->m->pieces.v[number - 1];
        unit = p->unit;
        if (!unit && p->by_task)
            unit = find(s, s->by_task, s->ntask, p->by_task, true, p->at);
        else if (!unit && !p->by)
            unit = find(s, s->by_tid, s->ntid, p->tid, false, p->at);
    }
    return unit;
}

/* The unit that the act's piece belongs to; none once that has ended: what goes on then is done in
 * the background. A thread that goes on may be one of a pool, and work for others. */
static uint32_t by_piece(const struct sweep *s, struct mh_act *a)
{
    struct mh_piece *p = a->piece ? &s->m->pieces.v[a->piece - 1] : NULL;
    const struct mh_unit *u;
    uint32_t unit;

    if (!p)
        return 0;
    if (!p->unit && !p->mixed)
        p->unit = unit_of_piece(s, a->piece);
    unit = p->unit;
    u = unit ? &s->m->units.v[unit - 1] : NULL;
    if (u && u->became && u->ended < a->at) {
        unit = u->became;
        u = &s->m->units.v[unit - 1];
    }
    if (u && !u->open && !(u->task_run && !s->m->tasks.v[u->task_run - 1].exact) &&
        u->ended < a->at) {
        a->outlived = p->kind != MH_PIECE_thread;
        return 0;
    }
    return unit;
}

static uint32_t certain(const struct sweep *s, struct mh_act *a)
{
    uint32_t unit = 0;

    if (a->task)
        unit = find(s, s->by_task, s->ntask, a->task, true, a->at);
    if (!unit)
        unit = by_piece(s, a);
    if (!unit && a->attempt_of) {
        const struct mh_act *attempt = &s->m->acts.v[a->attempt_of - 1];

        unit = attempt->unit;
        if (unit && s->m->units.v[unit - 1].ended < a->at)
            unit = 0;
        a->outlived = a->outlived || (attempt->outlived && !unit);
    }
    if (a->outlived && !unit)
        return 0;
    if (!unit && !a->task)
        unit = find(s, s->by_tid, s->ntid, a->tid, false, a->at);
    return unit;
}

static uint64_t worker_key(const struct mh_act *a)
{
    return a->task ? mh_mix2(a->task, 1) : mh_mix2(a->tid, 2);
}

static struct worker *worker_of(struct sweep *s, const struct mh_act *a)
{
    uint64_t key = worker_key(a);
    uint32_t have = mh_map_get(&s->workers, key);
    struct worker *w;

    if (have != MH_MAP_NONE)
        return &s->list.v[have];
    w = mh_vec_add(&s->list);
    if (!w || mh_map_set(&s->workers, key, (uint32_t)s->list.n - 1))
        return NULL;
    w->first = a->at;
    return w;
}

/* Brings the list of units in flight to the time `at`. */
static void advance(struct sweep *s, int64_t at)
{
    size_t kept = 0;

    while (s->next < s->nbegin && s->m->units.v[s->by_begin[s->next]].begun <= at)
        s->active[s->nactive++] = s->by_begin[s->next++];
    for (size_t i = 0; i < s->nactive; i++)
        if (s->m->units.v[s->active[i]].ended >= at)
            s->active[kept++] = s->active[i];
    s->nactive = kept;
}

/* Does it go on until the call has ended? */
static bool candidate(const struct sweep *s, const struct mh_act *a, uint32_t unit)
{
    const struct mh_unit *u = &s->m->units.v[unit];

    return u->open || u->ended >= MH_MIN(a->until, a->at + INT64_C(50000000));
}

/* A task that serves one request is seen within that request only. */
static bool contains(const struct mh_unit *u, const struct worker *w)
{
    return w->first >= u->begun && w->last <= u->ended;
}

/* How loosely a unit fits around what is known of the worker: the tightest is the likeliest. */
static int64_t slack(const struct mh_act *a, const struct worker *w, const struct mh_unit *u)
{
    return a->task ? (w->first - u->begun) + (u->ended - w->last) : u->ended - a->until;
}

static uint64_t site_route(const struct mh_act *a, const struct mh_unit *u)
{
    return mh_mix2(a->site, u->route);
}

/* For a task only threads that it started: they run the application's code, and not where the task
 * runs, since calls made there name it. */
static bool may_work_for(const struct sweep *s, const struct mh_act *a, const struct mh_unit *u)
{
    return !u->task_run ||
           (a->site && s->m->sites.v[a->site - 1].app && (a->tid != u->tid || a->task));
}

static void give(struct sweep *s, struct mh_act *a, struct worker *w, uint32_t unit, bool sure)
{
    struct mh_unit *u = &s->m->units.v[unit];

    a->unit = unit + 1;
    a->ambiguous = !sure;
    w->unit = unit + 1;
    w->sure = sure;
    if (!u->worker || sure)
        u->worker = worker_key(a);
}

/* Of an interpreter that is not known no task is either: a thread in which several requests are in
 * flight may work for any of them. */
static bool is_shared(struct sweep *s, const struct mh_act *a)
{
    uint32_t tid = s->m->units.v[a->unit - 1].tid;
    unsigned n = 0;

    advance(s, a->at);
    for (size_t i = 0; i < s->nactive; i++)
        n += s->m->units.v[s->active[i]].tid == tid;
    return n > 1;
}

/* First pass: what is certain, and what can only be one; learns which routes use which sites. */
static int pass_certain(struct sweep *s)
{
    for (size_t i = 0; i < s->p->nacts; i++) {
        struct mh_act *a = &s->m->acts.v[s->acts[i]];
        struct worker *w;

        if (!a->unit)
            a->unit = certain(s, a);
        if (a->unit && s->p->no_stacks)
            a->ambiguous |= is_shared(s, a);
        if (a->unit) {
            if (a->site &&
                mh_map_set(&s->routes_of_site, site_route(a, &s->m->units.v[a->unit - 1]), 1))
                return -ENOMEM;
            continue;
        }
        if (a->outlived)
            continue;
        advance(s, a->at);
        w = worker_of(s, a);
        if (!w)
            return -ENOMEM;
        w->calls++;
        w->alone += s->nactive == 0;
        w->last = MH_MAX(w->last, a->at);
        if (s->nactive == 1 && a->site && !a->task &&
            mh_map_set(&s->routes_of_site, site_route(a, &s->m->units.v[s->active[0]]), 1))
            return -ENOMEM;
    }
    return 0;
}

/* Of several candidates the one that spans the task, whose route is known to use this site, that
 * nobody else works for, and that fits most tightly. */
static void guess(struct sweep *s, struct mh_act *a, struct worker *w)
{
    uint64_t me = worker_key(a);
    uint32_t best = MH_MAP_NONE;
    int best_worth = -1;
    size_t n = 0, spanning = 0;
    int64_t best_slack = 0;

    for (size_t i = 0; i < s->nactive; i++) {
        const struct mh_unit *u = &s->m->units.v[s->active[i]];
        int64_t loose = slack(a, w, u);
        int worth = 0;

        if (!candidate(s, a, s->active[i]) || !may_work_for(s, a, u))
            continue;
        n++;
        if (w->unit == s->active[i] + 1) {
            give(s, a, w, s->active[i], w->sure);
            return;
        }
        spanning += a->task && contains(u, w);
        worth += 4 * (a->task && contains(u, w));
        worth += 2 * (mh_map_get(&s->routes_of_site, site_route(a, u)) == 1);
        worth += !u->worker || u->worker == me;
        if (worth > best_worth || (worth == best_worth && loose < best_slack)) {
            best = s->active[i];
            best_worth = worth;
            best_slack = loose;
        }
    }
    if (n)
        give(s, a, w, best, n == 1 || spanning == 1);
}

static int pass_guess(struct sweep *s)
{
    s->next = s->nactive = 0;
    for (size_t i = 0; i < s->p->nacts; i++) {
        struct mh_act *a = &s->m->acts.v[s->acts[i]];
        struct worker *w;

        if (a->unit)
            continue;
        a->unit = certain(s, a); /* its request may have found its unit by now */
        if (a->unit) {
            a->ambiguous = a->attempt_of && s->m->acts.v[a->attempt_of - 1].ambiguous;
            continue;
        }
        if (a->outlived)
            continue;
        w = worker_of(s, a);
        if (!w)
            return -ENOMEM;
        /* a thread that is busy also when nothing is in flight serves no request */
        if (w->alone >= 3 && w->alone * 5 >= w->calls)
            continue;
        advance(s, a->at);
        guess(s, a, w);
    }
    return 0;
}

/* A call whose unit is known by its frames: whose work its piece is, if all of them say the same.
 */
static void learn_unit(struct mh_piece *p, uint32_t unit)
{
    if (p->kind == MH_PIECE_thread || p->mixed)
        return;
    p->mixed = p->unit && p->unit != unit;
    p->unit = p->mixed ? 0 : unit;
}

/* What pieces tell, and are told: also on which threads loops are. */
static int learn_pieces(struct sweep *s)
{
    for (size_t i = s->p->first_act; i < s->p->first_act + s->p->nacts; i++) {
        const struct mh_act *a = &s->m->acts.v[i];
        struct mh_piece *p = a->piece ? &s->m->pieces.v[a->piece - 1] : NULL;

        if (p && a->unit)
            learn_unit(p, a->unit);
        if (p && p->arrival && mh_map_set(&s->loops, p->tid, 1))
            return -ENOMEM;
    }
    return 0;
}

/* A WebSocket has a thread where that serves nothing else meanwhile, and shares it otherwise. */
static void drop_shared(struct sweep *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->ntid; i++) {
        const struct mh_unit *u = &s->m->units.v[s->by_tid[i]];
        const struct mh_unit *next = i + 1 < s->ntid ? &s->m->units.v[s->by_tid[i + 1]] : NULL;

        if (u->kind == MH_UNIT_websocket && next && next->tid == u->tid && next->begun < u->ended)
            continue;
        s->by_tid[kept++] = s->by_tid[i];
    }
    s->ntid = kept;
}

static int sweep_init(struct sweep *s)
{
    size_t n = s->p->nunits, k = s->p->nacts;
    bool sorted = true;

    s->by_task = calloc(n + 1, sizeof(uint32_t));
    s->by_tid = calloc(n + 1, sizeof(uint32_t));
    s->by_begin = calloc(n + 1, sizeof(uint32_t));
    s->active = calloc(n + 1, sizeof(uint32_t));
    s->acts = calloc(k + 1, sizeof(uint32_t));
    if (!s->by_task || !s->by_tid || !s->by_begin || !s->active || !s->acts || learn_pieces(s))
        return -ENOMEM;
    for (uint32_t i = (uint32_t)s->p->first_unit; i < s->p->first_unit + n; i++) {
        const struct mh_unit *u = &s->m->units.v[i];

        if (u->kind != MH_UNIT_websocket) /* it is in flight all the time, and works now and then */
            s->by_begin[s->nbegin++] = i;
        if (u->task_run) /* its own calls name it */
            continue;
        if (u->task)
            s->by_task[s->ntask++] = i;
        else if (!u->open && mh_map_get(&s->loops, u->tid) == MH_MAP_NONE)
            s->by_tid[s->ntid++] = i;
    }
    for (size_t i = 0; i < k; i++) {
        s->acts[i] = (uint32_t)(s->p->first_act + i);
        sorted = sorted && (!i || s->m->acts.v[s->acts[i]].at >= s->m->acts.v[s->acts[i - 1]].at);
    }
    sort_model = s->m;
    qsort(s->by_begin, s->nbegin, sizeof(uint32_t), compare_begin);
    qsort(s->by_task, s->ntask, sizeof(uint32_t), compare_task);
    qsort(s->by_tid, s->ntid, sizeof(uint32_t), compare_tid);
    drop_shared(s);
    if (!sorted)
        qsort(s->acts, k, sizeof(uint32_t), compare_act);
    return 0;
}

static void sweep_done(struct sweep *s)
{
    free(s->by_task);
    free(s->by_tid);
    free(s->by_begin);
    free(s->active);
    free(s->acts);
    free(s->list.v);
    mh_map_done(&s->workers);
    mh_map_done(&s->loops);
    mh_map_done(&s->routes_of_site);
}

static int attribute_process(struct mh_model *m, const struct mh_process *p)
{
    struct sweep s = {.m = m, .p = p};
    int r = sweep_init(&s);

    if (!r)
        r = pass_certain(&s);
    if (!r)
        r = pass_guess(&s);
    sweep_done(&s);
    return r;
}

int mh_model_attribute(struct mh_model *m)
{
    for (size_t i = 0; i < m->processes.n; i++) {
        struct mh_process *p = &m->processes.v[i];
        int r = 0;

        for (size_t k = 0; p->command_run && k < p->nacts; k++)
            m->acts.v[p->first_act + k].unit = (uint32_t)p->first_unit + 1;
        if (!p->command_run && p->nunits)
            r = attribute_process(m, p);
        if (r)
            return r;
    }
    return mh_units_list(m);
}
