/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about tries of several layers or processes: MH-0506 two layers of one stack, MH-2011
 * processes that come back at the same moment. */
#include <errno.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;

static struct mh_judgement *file(struct mh_grading *g, const struct mh_tally *t,
                                 enum mh_verdict_kind verdict)
{
    return mh_judge_site(g, t, verdict, MH_SEVERITY_medium, mh_tally_confidence(t));
}

/* ---- MH-0506 ---- */

enum { MAX_LAYERS = 8, PRODUCT = 9 };

/* A frame that ended the error of a try, after which another try came. */
struct layer {
    struct mh_frame frame;
    unsigned tries, first, last; /* ordinals of such tries */
    unsigned twice; /* tries that it ended only after it had let the error go further in */
    uint32_t stack;
};
struct layers {
    struct layer v[MAX_LAYERS];
    unsigned n, tries, unknown;
    const struct layer *inner, *outer;
};

/* The frame that ended the error of this operation at last. */
static const struct mh_frame *ended_by(const struct mh_model *m, const struct mh_op_seen *o)
{
    const struct mh_frame *frame = NULL;

    for (uint32_t i = 0; o && i < o->nsteps; i++) {
        const struct mh_step_seen *s = &m->steps.v[o->steps + i];

        if (s->step == MH_STEP_handled)
            frame = &s->frame;
        else if (s->step == MH_STEP_reraised || s->step == MH_STEP_replaced)
            frame = NULL;
    }
    return frame;
}

static bool same_frame(const struct mh_frame *a, const struct mh_frame *b)
{
    return a->function == b->function && a->file == b->file;
}

/* One function may stand on the stack twice, as a decorator does that was put around what has one:
 * did it catch the error, let it go, and catch it again further out? */
static bool caught_twice(const struct mh_model *m, const struct mh_op_seen *o,
                         const struct mh_frame *f, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;
    unsigned caught = 0, standing = 0;

    for (uint32_t i = 0; i < o->nsteps; i++) {
        const struct mh_step_seen *step = &m->steps.v[o->steps + i];

        caught += (step->step == MH_STEP_handled || step->step == MH_STEP_reraised) &&
                  same_frame(&step->frame, f);
    }
    for (uint32_t i = 0; s && i < s->nframes; i++)
        standing += same_frame(&m->frames.v[s->frames + i], f);
    return caught >= 2 && standing >= 2;
}

/* How far out on the stack the frame stands; -1: it is not on it. */
static int depth_of(const struct mh_model *m, uint32_t stack, const struct mh_frame *f)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++)
        if (same_frame(&m->frames.v[s->frames + i], f))
            return (int)i;
    return -1;
}

static void layer_add(struct layers *l, const struct mh_frame *f, uint32_t stack, bool twice)
{
    unsigned i = 0;

    while (i < l->n && !same_frame(&l->v[i].frame, f))
        i++;
    if (i == MAX_LAYERS)
        return;
    if (i == l->n)
        l->v[l->n++] = (struct layer){.frame = *f, .first = l->tries, .stack = stack};
    l->v[i].tries++;
    l->v[i].twice += twice;
    l->v[i].last = l->tries;
}

/* One layer stands outside of the other on the same stack, and began it again: tries that the inner
 * one made came before and after. */
static void nest(const struct mh_model *m, struct layers *l)
{
    for (unsigned a = 0; a < l->n && !l->inner; a++)
        if (l->v[a].twice && l->v[a].tries >= PRODUCT - 1)
            l->inner = l->outer = &l->v[a];
    for (unsigned a = 0; a < l->n && !l->inner; a++)
        for (unsigned b = 0; b < l->n && !l->inner; b++) {
            int inner = depth_of(m, l->v[b].stack, &l->v[a].frame);
            int outer = depth_of(m, l->v[b].stack, &l->v[b].frame);

            if (l->v[a].first < l->v[b].first && l->v[b].first < l->v[a].last && inner >= 0 &&
                inner < outer) {
                l->inner = &l->v[a];
                l->outer = &l->v[b];
            }
        }
}

/* `op_of`: the operation that made an attempt fail, by act, plus 1. */
static void layers_of(const struct mh_grading *g, const struct mh_sequence *s,
                      const uint32_t *op_of, struct layers *ret)
{
    const struct mh_unit *u = mh_grading_unit(g, s->unit);

    *ret = (struct layers){0};
    for (uint32_t i = 0; i < u->nacts; i++) {
        uint32_t act = g->m->by_unit.v[u->first_act + i];
        const struct mh_act *a = &g->m->acts.v[act];
        const struct mh_frame *f;

        if (a->kind != MH_ACT_attempt || a->site != s->site || a->peer != s->peer ||
            a->at < s->first || a->until > s->last || a->until == s->last)
            continue; /* what ended the last try made no other */
        f = op_of[act] ? ended_by(g->m, &g->m->ops.v[op_of[act] - 1]) : NULL;
        ret->unknown += !f;
        if (f)
            layer_add(ret, f, a->stack,
                      caught_twice(g->m, &g->m->ops.v[op_of[act] - 1], f, a->stack));
        ret->tries++;
    }
    nest(g->m, ret);
}

static int say_0506(struct mh_grading *g, const struct mh_tally *t, const uint32_t *op_of)
{
    unsigned sure = t->fired - t->partial;
    struct mh_judgement *j = file(g, t,
                                  3 * t->failed >= 2 * sure && t->failed ? MH_VERDICT_fail
                                  : t->partial                           ? MH_VERDICT_unclear
                                  : t->failed                            ? MH_VERDICT_partial
                                                                         : MH_VERDICT_pass);
    const struct mh_sequence *s = t->example ? &g->sequences.v[t->example - 1] : NULL;
    char inner[200], outer[200];
    struct layers l;

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%lld %s in one unit of work at most, made by one layer", (long long)t->worst,
                  t->worst == 1 ? "try" : "tries");
    if (j->verdict == MH_VERDICT_unclear)
        mh_reason(
            j,
            "up to %lld tries in one unit of work, and the frames that ended their errors are "
            "not known",
            (long long)t->worst);
    if (!s || j->verdict == MH_VERDICT_pass || j->verdict == MH_VERDICT_unclear)
        return 0;
    layers_of(g, s, op_of, &l);
    if (l.inner == l.outer) {
        mh_sentence(j->evidence,
                    "%u attempts at %s in one unit of work (%s): %s stands on the stack twice, and "
                    "the outer one began the inner one's tries anew %u times",
                    s->attempts, mh_name_peer(g, t->peer), mh_name_route(g, s->unit),
                    mh_name_frame(g, &l.inner->frame, inner, sizeof(inner)), l.inner->twice);
        return 0;
    }
    mh_sentence(j->evidence,
                "%u attempts at %s in one unit of work (%s): %s caught the error of %u tries and "
                "tried again, and %s, outside of it, began that anew %u times",
                s->attempts, mh_name_peer(g, t->peer), mh_name_route(g, s->unit),
                mh_name_frame(g, &l.inner->frame, inner, sizeof(inner)), l.inner->tries,
                mh_name_frame(g, &l.outer->frame, outer, sizeof(outer)), l.outer->tries);
    return 0;
}

static int tally_0506(struct mh_grading *g, struct mh_tallies *tallies, const uint32_t *op_of)
{
    for (uint32_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];
        struct layers l = {0};
        struct mh_tally *t;

        if (!s->unit || (s->attempts < PRODUCT && !(s->exhausted && s->ended)))
            continue;
        if (s->attempts >= PRODUCT)
            layers_of(g, s, op_of, &l);
        t = mh_tally_of(tallies, s->site, s->peer);
        if (!t)
            return -ENOMEM;
        t->fired++;
        t->failed += l.inner != NULL;
        t->partial += !l.inner && 2 * l.unknown > l.tries;
        t->ambiguous += s->ambiguous;
        t->worst = MH_MAX(t->worst, (int64_t)s->attempts);
        if (l.inner && !t->example)
            t->example = i + 1;
    }
    return 0;
}

int mh_judge_0506(struct mh_grading *g)
{
    uint32_t *op_of = calloc(g->m->acts.n + 1, sizeof(*op_of));
    struct mh_tallies tallies = {0};
    int r = op_of ? 0 : -ENOMEM;

    for (uint32_t i = 0; op_of && i < g->m->ops.n; i++)
        if (g->m->ops.v[i].attempt && g->m->ops.v[i].nsteps)
            op_of[g->m->ops.v[i].attempt - 1] = i + 1;
    if (!r)
        r = tally_0506(g, &tallies, op_of);
    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = say_0506(g, &tallies.list.v[i], op_of);
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no peer failed for so long that tries had to end",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 10s");
    mh_tallies_done(&tallies);
    free(op_of);
    return r;
}

/* ---- MH-2011 ---- */

enum { HERD = 5, BIG_HERD = 20, MAX_WINDOWS = 8 };

/* When this process came back to the peer after the fault, having paused after a failed try: a wish
 * of its own, not of a request that happened to come. 0: it did not. */
static int64_t came_back(const struct mh_grading *g, const struct mh_process *p, uint32_t peer,
                         struct mh_window w)
{
    const struct mh_act *failed = NULL;

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->peer != peer || a->at < w.from)
            continue;
        if (a->at < w.to && a->failed && a->until < w.to)
            failed = a;
        else if (a->at >= w.to && !a->failed && !a->pooled)
            return failed && failed->unit == a->unit && a->at - failed->until >= 50 * ms ? a->at
                                                                                         : 0;
    }
    return 0;
}

/* The most of n sorted times within a tenth of a second. */
static unsigned densest(const int64_t *times, unsigned n)
{
    unsigned most = 0;

    for (unsigned i = 0, k = 0; i < n; i++) {
        while (k < n && times[k] < times[i] + 100 * ms)
            k++;
        most = MH_MAX(most, k - i);
    }
    return most;
}

static int window_2011(struct mh_grading *g, uint32_t peer, struct mh_window w, int64_t *times)
{
    struct mh_judgement *j;
    unsigned n = 0, most;

    for (size_t i = 0; i < g->m->processes.n; i++) {
        int64_t at =
            g->m->processes.v[i].baseline ? 0 : came_back(g, &g->m->processes.v[i], peer, w);

        if (at && at < w.to + 60 * second)
            times[n++] = at;
    }
    if (n < HERD)
        return 0;
    qsort(times, n, sizeof(*times), mh_compare_int64);
    most = densest(times, n);
    j = mh_judge_file(g,
                      5 * most >= 4 * n || (2 * most >= n && n >= BIG_HERD) ? MH_VERDICT_fail
                      : 2 * most >= n                                       ? MH_VERDICT_unclear
                                                                            : MH_VERDICT_pass,
                      0, peer, MH_SEVERITY_medium,
                      n >= 10 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = n;
    j->failed = j->verdict == MH_VERDICT_fail ? most : 0;
    if (j->verdict == MH_VERDICT_fail)
        mh_sentence(j->evidence,
                    "%u of %u processes came back to %s within the same 100 ms, %s after it was "
                    "well again",
                    most, n, mh_name_peer(g, peer), MH_SPAN(times[0] - w.to));
    else
        mh_reason(j, "%u of %u processes came back to %s within the same 100 ms%s", most, n,
                  mh_name_peer(g, peer),
                  j->verdict == MH_VERDICT_unclear ? ": with so few it may be chance" : "");
    return 0;
}

int mh_judge_2011(struct mh_grading *g)
{
    int64_t *times = calloc(g->m->processes.n + 1, sizeof(*times));
    size_t before = g->judgements.n;
    int r = times ? 0 : -ENOMEM;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++) {
        struct mh_window windows[MAX_WINDOWS];
        unsigned n = mh_windows_of(g, peer, windows, MAX_WINDOWS);

        for (unsigned i = 0; i < n && !r; i++)
            r = window_2011(g, peer, windows[i], times);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than five processes waited for a peer to come back and were seen "
                          "to reach it",
                          "a [phase recovery] after the fault, and five workers or more");
    free(times);
    return r;
}
