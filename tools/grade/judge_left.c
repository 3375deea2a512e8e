/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2019: the client has left, and the task that served it goes on calling others for it. Known
 * only where a server goes on reading: a thread that serves hears of it when it writes its answer.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { PATIENCE_S = 5, MOST_LOOKS = 4096 };

struct looking {
    struct mh_grading *g;
    const struct mh_process *p;
    struct mh_map routes; /* which routes use which sites */
    struct mh_map taken;  /* acts, plus 1, that an earlier look has gone through */
    struct mh_map asker;  /* attempt, as attempt_of, to an act of the task that waits for it */
    struct mh_map torn;   /* tasks that may have been followed by others at the same place */
    struct mh_tallies tallies;
    unsigned unsure;  /* it went on, which may be meant so */
    unsigned unknown; /* it ended, but whose it was is not known */
};

/* Nobody is known to have answered it. Some event loops send from no task: then also those that
 * were answered. */
static bool is_nobodys(const struct mh_unit *u)
{
    return u->kind == MH_UNIT_request && !u->task;
}

static bool is_left(const struct mh_unit *u)
{
    return is_nobodys(u) && !u->open && u->how == 1 && !u->status;
}

static int learn(struct looking *l)
{
    const struct mh_model *m = l->g->m;
    int r = 0;

    for (size_t i = l->p->first_act; i < l->p->first_act + l->p->nacts && !r; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->unit && !a->ambiguous && a->site && m->units.v[a->unit - 1].status > 0)
            r = mh_map_set(&l->routes, mh_mix2(a->site, m->units.v[a->unit - 1].route), 1);
        if (!r && a->attempt_of && a->task && mh_map_get(&l->asker, a->attempt_of) == MH_MAP_NONE)
            r = mh_map_set(&l->asker, a->attempt_of, (uint32_t)i);
    }
    return r;
}

/* Who connects may be another task, at another place, than who asks and waits. */
static const struct mh_act *asker_of(const struct looking *l, const struct mh_act *a)
{
    uint32_t have = mh_map_get(&l->asker, (uint32_t)(a - l->g->m->acts.v) + 1);

    return have == MH_MAP_NONE ? a : &l->g->m->acts.v[have];
}

static bool any_left(const struct looking *l)
{
    for (size_t i = l->p->first_unit; i < l->p->first_unit + l->p->nunits; i++)
        if (is_left(&l->g->m->units.v[i]))
            return true;
    return false;
}

/* What one task did for somebody who left. Where several could be its caller, that is the last of
 * them to leave, and `since` is when the first one did. */
struct work {
    const struct mh_act *first;
    const struct mh_unit *caller;
    int64_t since, end;
    unsigned later; /* calls begun after that */
    bool torn;      /* it, or the task before it at its place, may have gone on */
};

/* The piece of work of an act, where it is known whose that is. A thread that goes on may be one of
 * a pool. */
static const struct mh_piece *told_piece(const struct looking *l, const struct mh_act *a)
{
    const struct mh_piece *p = a->piece ? &l->g->m->pieces.v[a->piece - 1] : NULL;

    return p && p->told && p->unit && !p->mixed && p->kind != MH_PIECE_thread ? p : NULL;
}

/* That of who asks and waits, if it is for the same request. */
static const struct mh_piece *piece_of(const struct looking *l, const struct mh_act *a)
{
    const struct mh_piece *p = told_piece(l, a), *q = told_piece(l, asker_of(l, a));

    return q && (!p || p->unit == q->unit) ? q : p;
}

/* Calls at this place are what this route is about. */
static bool is_used(const struct looking *l, const struct mh_act *by, const struct mh_unit *u)
{
    return mh_map_get(&l->routes, mh_mix2(by->site, u->route)) != MH_MAP_NONE;
}

/* For whom is a call of a task of which nobody knows who began it, and that answered nobody: one of
 * those in flight then that nobody answered. Nobody, unless all of them have left. */
static void find_likely(const struct looking *l, struct work *w)
{
    const struct mh_act *a = w->first, *by = asker_of(l, a);
    const struct mh_unit *last = NULL;

    for (size_t i = l->p->first_unit; i < l->p->first_unit + l->p->nunits; i++) {
        const struct mh_unit *u = &l->g->m->units.v[i];

        if (u->begun > a->at || (!u->open && u->ended < a->at) || u->kind != MH_UNIT_request ||
            (u->task && u->task != by->task))
            continue;
        if (u->task || !is_left(u) || !is_used(l, by, u))
            return;
        w->since = last ? MH_MIN(w->since, u->ended) : u->ended;
        if (!last || u->ended > last->ended)
            last = u;
    }
    w->caller = last;
    w->torn = mh_map_get(&l->torn, by->task) != MH_MAP_NONE;
}

/* A task is known to be told that its client left; a thread that does something for it is not, and
 * where that may be answered yet nothing is held against it. */
static void find_caller(const struct looking *l, struct work *w)
{
    const struct mh_piece *p = piece_of(l, w->first);
    const struct mh_unit *u = p ? &l->g->m->units.v[p->unit - 1] : NULL;

    if (!p || p->kind != MH_PIECE_task)
        find_likely(l, w);
    if (!u || (p->kind != MH_PIECE_task && !w->caller))
        return;
    w->caller = is_left(u) && is_used(l, asker_of(l, w->first), u) ? u : NULL;
    w->since = u->ended;
    w->torn = false;
}

/* Does the server itself await it? A task that was set free has nobody's frames around it. */
static bool is_served(const struct mh_model *m, const struct mh_act *a)
{
    const struct mh_stack *s = a->stack ? &m->stacks.v[a->stack - 1] : NULL;
    bool app = false;

    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (f->kind == MH_FRAME_app)
            app = true;
        else if (app && f->kind == MH_FRAME_library)
            return true;
        else if (app && strstr(mh_model_text(m, f->file), "/asyncio/"))
            return false;
    }
    return false;
}

static int64_t end_of(const struct mh_act *a)
{
    return a->attempt.ended ? a->attempt.ended : a->until;
}

/* Did a request begin then that this task could be serving by now, were it another one that was
 * given the same place in memory? */
static bool another(const struct looking *l, int64_t from, int64_t to)
{
    for (size_t i = l->p->first_unit; i < l->p->first_unit + l->p->nunits; i++) {
        const struct mh_unit *u = &l->g->m->units.v[i];

        if (u->kind == MH_UNIT_request && u->begun >= from && u->begun <= to)
            return true;
    }
    return false;
}

static bool is_same_task(const struct looking *l, const struct mh_act *a, const struct mh_act *b)
{
    const struct mh_piece *p = piece_of(l, a), *q = piece_of(l, b);

    if (p && q && p->kind == MH_PIECE_task && q->kind == MH_PIECE_task)
        return p == q;
    return asker_of(l, a)->task == asker_of(l, b)->task && (p ? p->unit : 0) == (q ? q->unit : 0);
}

static int follow(struct looking *l, size_t from, struct work *w)
{
    size_t end = l->p->first_act + l->p->nacts;
    bool known = piece_of(l, w->first);
    int r = 0;

    w->end = end_of(w->first);
    for (size_t i = from + 1; i < end && !r; i++) {
        const struct mh_act *a = &l->g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || !is_same_task(l, a, w->first))
            continue;
        if (!known && a->at > w->end && another(l, w->end, a->at)) {
            w->torn = true;
            return mh_map_set(&l->torn, asker_of(l, a)->task, 1);
        }
        w->end = MH_MAX(w->end, end_of(a));
        w->later += a->at > w->caller->ended;
        r = mh_map_set(&l->taken, i + 1, 1);
    }
    return r;
}

/* Would it have gone on for longer by itself? The hang that it met was not lifted yet. */
static bool was_held(const struct looking *l, const struct work *w)
{
    uint32_t number = (uint32_t)(w->first - l->g->m->acts.v) + 1;

    for (size_t i = 0; i < l->g->m->ops.n; i++) {
        const struct mh_op_seen *o = &l->g->m->ops.v[i];
        const struct mh_act *a = &l->g->m->acts.v[o->act];
        int64_t lifted;

        if (o->attempt != number || !o->fault || !mh_effect_silent(o->effect))
            continue;
        lifted = mh_fault_lifted(l->g, o->fault, a->at);
        if (!lifted || lifted > w->caller->ended + PATIENCE_S * second)
            return true;
    }
    return false;
}

/* The caller wanted to know something, and nothing more: nobody needs the answer. */
static bool is_question(const struct mh_model *m, const struct mh_unit *u)
{
    const char *text = mh_model_text(m, u->path);

    return !strncmp(text, "GET ", 4) || !strncmp(text, "HEAD ", 5);
}

static int take(struct looking *l, const struct work *w)
{
    int64_t after = w->end - w->caller->ended;
    bool goes_on = after > PATIENCE_S * second;
    struct mh_tally *t;

    if (goes_on &&
        (!is_served(l->g->m, asker_of(l, w->first)) || !is_question(l->g->m, w->caller))) {
        l->unsure++;
        return 0;
    }
    if (!goes_on && (after < 0 || !was_held(l, w)))
        return 0;
    if (!goes_on && (w->torn || w->end - w->since > PATIENCE_S * second)) {
        l->unknown++;
        return 0;
    }
    t = mh_tally_of(&l->tallies, asker_of(l, w->first)->site, w->first->peer);
    if (!t)
        return -ENOMEM;
    t->fired++;
    t->failed += goes_on;
    if (goes_on && after > t->worst) {
        t->worst = after;
        t->write = w->later;
    }
    if (!t->example || (goes_on && t->worst == after))
        t->example = (uint32_t)(asker_of(l, w->first) - l->g->m->acts.v) + 1;
    return 0;
}

static int look(struct looking *l)
{
    unsigned looks = 0;
    int r = 0;

    for (size_t i = l->p->first_act; i < l->p->first_act + l->p->nacts && !r; i++) {
        const struct mh_act *a = &l->g->m->acts.v[i];
        struct work w = {.first = a};

        if (a->kind != MH_ACT_attempt || !asker_of(l, a)->task ||
            mh_task_is_greenlet(asker_of(l, a)->task) || !asker_of(l, a)->site ||
            mh_map_get(&l->taken, i + 1) != MH_MAP_NONE)
            continue;
        if (looks++ == MOST_LOOKS)
            break;
        find_caller(l, &w);
        if (!w.caller)
            continue;
        r = follow(l, i, &w);
        if (!r)
            r = take(l, &w);
    }
    return r;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_medium);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j,
                  "%u of %u times what was asked of %s was given up within %d s after the client "
                  "had left",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer), PATIENCE_S);
        return 0;
    }
    mh_sentence(
        j->evidence,
        "%u of %u times the client had left, and what its request asked of %s went on for "
        "more than %d s; %s at the longest, with %u calls that were begun after it had left",
        t->failed, t->fired, mh_name_peer(g, t->peer), PATIENCE_S, MH_SPAN(t->worst), t->write);
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u ended soon after", t->fired - t->failed, t->fired);
    return 0;
}

static int none(struct mh_grading *g, const struct looking *l)
{
    if (l->unsure)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "clients left and work went on, but it may have been set free on "
                             "purpose, or was asked to change something",
                             NULL);
    if (l->unknown)
        return mh_judge_none(g, MH_VERDICT_unclear,
                             "clients left, but of what was asked then it is not known for whom",
                             NULL);
    return mh_judge_none(
        g, MH_VERDICT_not_exercised,
        "no client was seen to leave while its request waited for a peer; servers with threads do "
        "not look",
        "[fault x] call = recv, side = client, hang = yes, for = 10s; and clients that wait for "
        "2 s");
}

int mh_judge_2019(struct mh_grading *g)
{
    struct looking l = {.g = g};
    int r = 0;

    for (size_t i = 0; i < g->m->processes.n && !r; i++) {
        l.p = &g->m->processes.v[i];
        if (l.p->baseline || !any_left(&l))
            continue;
        r = learn(&l);
        if (!r)
            r = look(&l);
        mh_map_done(&l.routes);
        mh_map_done(&l.torn);
        l.routes = l.torn = (struct mh_map){0};
    }
    for (size_t i = 0; i < l.tallies.list.n && !r; i++)
        r = file(g, &l.tallies.list.v[i]);
    if (!r && !l.tallies.list.n)
        r = none(g, &l);
    mh_map_done(&l.routes);
    mh_map_done(&l.taken);
    mh_map_done(&l.torn);
    mh_map_done(&l.asker);
    mh_tallies_done(&l.tallies);
    return r;
}
