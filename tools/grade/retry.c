/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts to sequences: the same thing tried again because the try before had failed. Addresses of
 * one name that one call walks through are one attempt; the one replay of a request that a stale
 * pooled connection swallowed is the library's policy, not a retry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { MAX_OPEN = 64 };

struct open_sequence {
    struct mh_sequence s;
    const struct mh_act *last;
    unsigned connects;    /* tries that began with a connect */
    bool replayed, final; /* final: it was refused for good, and asked for again as it was */
    int64_t slept;
    bool inner;            /* what tried returned, and what goes through a list paused */
    struct mh_frame meets; /* the innermost function that both tried and paused; line 0: none yet */
    MH_VEC(int64_t) waits, starts; /* starts: from the begin of one try to that of the next */
};

/* From one question to the next, where a command or a thread in the background asks when all is
 * well. */
struct pace {
    int64_t last;
    MH_VEC(int64_t) gaps;
};
enum { FEW_GAPS = 3, MANY_GAPS = 4096 };

struct walker {
    struct mh_grading *g;
    struct mh_map usual;    /* attempts a unit of this route makes there when all is well */
    struct mh_map connects; /* those of them that connect */
    struct mh_map pace_keys;
    MH_VEC(struct pace) paces;
    struct open_sequence open[MAX_OPEN];
    unsigned n;
    struct mh_sequence nowhere; /* what is no sequence of tries goes here */
};

static bool went_wrong(const struct mh_act *a)
{
    int status = a->attempt.status;

    return a->failed || status >= 500 || status == 429 || status == 408;
}

static uint64_t usual_key(const struct mh_model *m, uint32_t unit, uint32_t site, uint32_t peer)
{
    return mh_mix2(mh_mix2(unit ? m->units.v[unit - 1].route : 0, site), peer);
}

/* Five questions asked at once, each refused, are five attempts, but nobody tried again: what a
 * unit asks in the calm is taken out. Of tries that all connect anew (but the first, whose
 * connection may have died), what it connects: a transaction on one connection is five questions,
 * and five connects in its place are tries. */
static unsigned without_usual(const struct walker *w, const struct open_sequence *o)
{
    const struct mh_sequence *s = &o->s;
    const struct mh_map *map = o->connects + 1 >= s->attempts ? &w->connects : &w->usual;
    uint32_t usual =
        s->unit ? mh_map_get(map, usual_key(w->g->m, s->unit, s->site, s->peer)) : MH_MAP_NONE;

    return usual == MH_MAP_NONE || usual < 2 ? s->attempts : (s->attempts + usual - 1) / usual;
}

/* One more in this unit; the most that any had is kept. */
static int count_usual(struct mh_map *here, struct mh_map *most, uint64_t key)
{
    uint32_t n = mh_map_get(here, key), had = mh_map_get(most, key);
    int r;

    n = n == MH_MAP_NONE ? 1 : n + 1;
    r = mh_map_set(here, key, n);
    return r || (had != MH_MAP_NONE && had >= n) ? r : mh_map_set(most, key, n);
}

static int learn_usual(struct walker *w)
{
    const struct mh_model *m = w->g->m;

    for (size_t i = 0; i < m->units.n; i++) {
        const struct mh_unit *u = &m->units.v[i];
        struct mh_map asked = {0}, connected = {0};
        int r = 0;

        for (uint32_t k = 0; u->calm && !u->touched && k < u->nacts && !r; k++) {
            const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + k]];
            uint64_t key = usual_key(m, a->unit, a->site, a->peer);

            if (a->kind != MH_ACT_attempt || !a->peer)
                continue;
            r = count_usual(&asked, &w->usual, key);
            if (!r && a->from_connect)
                r = count_usual(&connected, &w->connects, key);
        }
        mh_map_done(&asked);
        mh_map_done(&connected);
        if (r)
            return r;
    }
    return 0;
}

static bool is_request(const struct mh_model *m, const struct mh_act *a)
{
    return a->unit && !m->units.v[a->unit - 1].command;
}

static struct pace *pace_of(struct walker *w, uint32_t process, uint32_t site, uint32_t peer)
{
    uint32_t have = mh_map_get(&w->pace_keys, mh_mix2(mh_mix2(process, site), peer));

    return have == MH_MAP_NONE ? NULL : &w->paces.v[have];
}

static int learn_pace(struct walker *w)
{
    const struct mh_model *m = w->g->m;

    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];
        struct pace *p;
        int64_t *slot;

        if (a->kind != MH_ACT_attempt || !a->peer || is_request(m, a))
            continue;
        p = pace_of(w, a->process, a->site, a->peer);
        if (!p) {
            p = mh_vec_add(&w->paces);
            if (!p || mh_map_set(&w->pace_keys, mh_mix2(mh_mix2(a->process, a->site), a->peer),
                                 (uint32_t)w->paces.n - 1))
                return -ENOMEM;
            *p = (struct pace){0};
        }
        if (went_wrong(a)) {
            p->last = 0;
            continue;
        }
        if (p->last && p->gaps.n < MANY_GAPS) {
            slot = mh_vec_add(&p->gaps);
            if (!slot)
                return -ENOMEM;
            *slot = a->at - p->last;
        }
        p->last = a->at;
    }
    for (size_t i = 0; i < w->paces.n; i++)
        if (w->paces.v[i].gaps.n)
            qsort(w->paces.v[i].gaps.v, w->paces.v[i].gaps.n, sizeof(int64_t), mh_compare_int64);
    return 0;
}

/* A job that goes through its items, or looks at a peer every so often, goes on when the peer is
 * down: that is the next thing asked, not the same again, as long as it comes no faster. */
static bool is_paced(struct walker *w, struct open_sequence *o)
{
    bool request = o->s.unit && !w->g->m->units.v[o->s.unit - 1].command;
    const struct pace *p = request ? NULL : pace_of(w, o->s.process, o->s.site, o->s.peer);

    if (!p || p->gaps.n < FEW_GAPS || !o->starts.n || o->inner)
        return false;
    qsort(o->starts.v, o->starts.n, sizeof(int64_t), mh_compare_int64);
    return 10 * mh_quantile(o->starts.v, o->starts.n, 0.5) >=
           9 * mh_quantile(p->gaps.v, p->gaps.n, 0.5);
}

/* Where it belongs; NULL: nowhere, as nothing was tried again. */
static struct mh_sequence *place_of(struct walker *w, struct open_sequence *o)
{
    if (o->final) /* the same bytes each time: none of them is another item of a list */
        return mh_is_final_status(o->last->attempt.status) && !is_paced(w, o)
                   ? mh_vec_add(&w->g->refused)
                   : &w->nowhere;
    o->s.attempts = without_usual(w, o);
    return (o->s.attempts > 1 || went_wrong(o->last)) && !is_paced(w, o)
               ? mh_vec_add(&w->g->sequences)
               : &w->nowhere;
}

static int emit(struct walker *w, unsigned i, bool ended)
{
    struct open_sequence *o = &w->open[i];
    struct mh_sequence *s = place_of(w, o);

    if (!s)
        return -ENOMEM;
    for (size_t k = 0; k < o->waits.n && k < MH_SEQUENCE_WAITS; k++)
        o->s.waits[o->s.nwaits++] = o->waits.v[k];
    if (o->waits.n)
        qsort(o->waits.v, o->waits.n, sizeof(int64_t), mh_compare_int64);
    o->s.median_wait = mh_quantile(o->waits.v, o->waits.n, 0.5);
    o->s.longest_wait = o->waits.n ? o->waits.v[o->waits.n - 1] : 0;
    o->s.exhausted = o->final || went_wrong(o->last);
    o->s.ended = ended;
    o->s.last = o->last->until;
    *s = o->s;
    free(o->waits.v);
    free(o->starts.v);
    memmove(o, o + 1, (--w->n - i) * sizeof(*o));
    return 0;
}

/* What two requests left to be done after their answers is not the same tried again. */
static struct open_sequence *find_open(struct walker *w, const struct mh_act *a)
{
    for (unsigned i = 0; i < w->n; i++)
        if (w->open[i].s.site == a->site && w->open[i].s.peer == a->peer &&
            w->open[i].s.process == a->process &&
            mh_act_left_by(w->g->m, w->open[i].last) == mh_act_left_by(w->g->m, a))
            return &w->open[i];
    return NULL;
}

static int start(struct walker *w, const struct mh_act *a)
{
    struct open_sequence *o;

    if (w->n == MAX_OPEN && emit(w, 0, true))
        return -ENOMEM;
    o = &w->open[w->n++];
    *o = (struct open_sequence){.s = {.unit = a->unit,
                                      .process = a->process,
                                      .site = a->site,
                                      .peer = a->peer,
                                      .stack = a->stack,
                                      .attempts = 1,
                                      .first = a->at,
                                      .ambiguous = a->ambiguous},
                                .connects = a->from_connect,
                                .last = a};
    return 0;
}

bool mh_is_next_address(const struct mh_act *before, const struct mh_act *a)
{
    return !before->pooled && !a->pooled && before->stack == a->stack &&
           before->attempt.family_id != a->attempt.family_id &&
           a->at - before->until < INT64_C(50000000);
}

static bool is_stale_replay(const struct open_sequence *o, const struct mh_act *a)
{
    const struct mh_act *before = o->last;
    int err = before->attempt.err;

    return before->pooled && !o->replayed && before->failed &&
           (err == 0 || err == ECONNRESET || err == EPIPE) &&
           a->at - before->until < INT64_C(50000000);
}

static int again(struct walker *w, struct open_sequence *o, const struct mh_act *a)
{
    int64_t from = o->last->attempt.ended ? o->last->attempt.ended : o->last->until, gap, *slot;

    if (mh_is_next_address(o->last, a)) {
        o->last = a;
        return 0;
    }
    if (is_stale_replay(o, a)) {
        o->replayed = true;
        o->last = a;
        return 0;
    }
    slot = mh_vec_add(&o->starts);
    if (!slot)
        return -ENOMEM;
    *slot = a->at - o->last->at;
    slot = mh_vec_add(&o->waits);
    if (!slot)
        return -ENOMEM;
    /* what was asked for has no scheduler noise in it; a coroutine's wait is seen when it was the
     * loop's next timer, else only as a gap */
    gap = mh_model_timer(w->g->m, a, from);
    gap = (gap ? gap : a->at) - from;
    *slot = o->slept ? o->slept : MH_MAX(gap, 0);
    o->s.requested |= o->slept > 0;
    o->slept = 0;
    o->s.attempts++;
    o->connects += a->from_connect;
    o->s.ambiguous |= a->ambiguous;
    o->last = a;
    return 0;
}

/* Asked while the one before was still under way: a hedge, or another item of a batch. Nobody can
 * have tried again what had not failed yet. */
static bool beside(const struct mh_act *last, const struct mh_act *a)
{
    return went_wrong(last) && last->attempt.ended > a->at;
}

/* The same bytes again, although the answer to them was final. */
static bool asks_anyway(const struct mh_act *last, const struct mh_act *a)
{
    return mh_is_final_status(last->attempt.status) && last->attempt.text == a->attempt.text &&
           a->attempt.digest && last->attempt.digest == a->attempt.digest;
}

/* How far out on a stack a function is, from 0; -1: it is not on it. */
static int place_on(const struct mh_model *m, uint32_t stack, const struct mh_frame *f)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++)
        if (m->frames.v[s->frames + i].function == f->function &&
            m->frames.v[s->frames + i].file == f->file)
            return (int)i;
    return -1;
}

/* Did the function return that had tried, and paused, before this pause? Then what comes is the
 * next item of a list. Requests have one each. */
static bool is_left(const struct mh_model *m, struct open_sequence *o, const struct mh_act *sleep)
{
    const struct mh_stack *s = sleep->stack ? &m->stacks.v[sleep->stack - 1] : NULL;
    const struct mh_frame *f = NULL;
    int place = -1, before = o->meets.line ? place_on(m, o->last->stack, &o->meets) : -1;

    for (uint32_t i = 0; s && i < s->nframes && place < 0; i++) {
        f = &m->frames.v[s->frames + i];
        place = place_on(m, o->last->stack, f);
    }
    if (place < 0 || is_request(m, sleep))
        return false;
    if (before >= 0 && place > before)
        return true;
    o->meets = *f;
    return false;
}

static int sleeps(struct walker *w, const struct mh_act *a)
{
    for (unsigned i = w->n; i-- > 0;) {
        struct open_sequence *o = &w->open[i];

        if (o->last->tid != a->tid ||
            (!went_wrong(o->last) && !mh_is_final_status(o->last->attempt.status)))
            continue;
        o->inner = is_left(w->g->m, o, a);
        if (!o->inner)
            o->slept += a->requested;
        else if (emit(w, i, true))
            return -ENOMEM;
    }
    return 0;
}

static int walk_act(struct walker *w, const struct mh_act *a)
{
    struct open_sequence *o;

    if (a->kind == MH_ACT_sleep)
        return sleeps(w, a);
    if (a->kind != MH_ACT_attempt || !a->peer)
        return 0;
    o = find_open(w, a);
    if (o && beside(o->last, a))
        return 0;
    if (o && !o->final && went_wrong(o->last))
        return again(w, o, a);
    if (o && (o->final || o->s.attempts == 1) && asks_anyway(o->last, a)) {
        o->final = true;
        return again(w, o, a);
    }
    if (o && emit(w, (unsigned)(o - w->open), true))
        return -ENOMEM;
    return start(w, a);
}

static int close_all(struct walker *w)
{
    while (w->n)
        if (emit(w, w->n - 1, true))
            return -ENOMEM;
    return 0;
}

/* Stopped by who had begun it: a command, or a coroutine, which is cancelled when its caller
 * leaves. A thread goes on until it has done, and finds its caller gone then. */
static bool was_cut_short(const struct mh_unit *u, const struct mh_act *last)
{
    return u->how == 1 && (u->command || last->task);
}

static int walk_unit(struct walker *w, const struct mh_unit *u)
{
    const struct mh_model *m = w->g->m;

    for (uint32_t i = 0; i < u->nacts; i++)
        if (walk_act(w, &m->acts.v[m->by_unit.v[u->first_act + i]]))
            return -ENOMEM;
    while (w->n)
        if (emit(w, w->n - 1, !u->open && !was_cut_short(u, w->open[w->n - 1].last)))
            return -ENOMEM;
    return 0;
}

int mh_sequences_make(struct mh_grading *g)
{
    struct walker w = {.g = g};
    int r = learn_usual(&w);

    if (!r)
        r = learn_pace(&w);
    for (size_t i = 0; i < g->m->units.n && !r; i++)
        if (!g->m->processes.v[g->m->units.v[i].process].baseline)
            r = walk_unit(&w, &g->m->units.v[i]);
    /* what belongs to no unit: reconnecting in the background */
    for (size_t i = 0; i < g->m->acts.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (i && a->process != g->m->acts.v[i - 1].process)
            r = close_all(&w);
        if (!r && !a->unit && !g->m->processes.v[a->process].baseline)
            r = walk_act(&w, a);
    }
    if (!r)
        r = close_all(&w);
    while (w.n) {
        free(w.open[--w.n].waits.v);
        free(w.open[w.n].starts.v);
    }
    for (size_t i = 0; i < w.paces.n; i++)
        free(w.paces.v[i].gaps.v);
    free(w.paces.v);
    mh_map_done(&w.pace_keys);
    mh_map_done(&w.usual);
    mh_map_done(&w.connects);
    return r;
}
