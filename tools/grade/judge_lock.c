/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2012: a lock is held across a call that hangs, and others wait for it without a limit. A wait
 * for a lock and one for work to do look alike; that it is a lock is known where the thread that
 * let it go came from the very function in which the other waited. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t ms = 1000000;
enum { LONG_MS = 100, AT_ONCE_MS = 50 };

struct looking {
    struct mh_grading *g;
    MH_VEC(uint32_t) calls; /* acts: long calls for which a thread stood still */
    struct mh_tallies tallies;
    unsigned unsure, limited;
};

/* Is this act a call for which its thread stood still? */
static bool stands(const struct mh_model *m, const struct mh_act *a)
{
    switch (a->kind) {
    case MH_ACT_waited:
        return a->blocking;
    case MH_ACT_attempt:
    case MH_ACT_dns:
        return !a->task;
    case MH_ACT_op:
        return !m->ops.v[a->op].nonblocking;
    default:
        return false;
    }
}

static int learn(struct looking *l)
{
    const struct mh_model *m = l->g->m;

    for (uint32_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];
        uint32_t *slot;

        if (a->until - a->at < LONG_MS * ms || m->processes.v[a->process].baseline || !stands(m, a))
            continue;
        slot = mh_vec_add(&l->calls);
        if (!slot)
            return -ENOMEM;
        *slot = i;
    }
    return 0;
}

/* The long call of the thread that let go, just before it did. */
static const struct mh_act *call_before(const struct looking *l, const struct mh_locked *w)
{
    const struct mh_act *found = NULL;

    for (size_t i = 0; i < l->calls.n; i++) {
        const struct mh_act *a = &l->g->m->acts.v[l->calls.v[i]];
        int64_t ago = w->until - a->until;

        if (a->process == w->process && a->tid == w->by && a->until > w->at &&
            ago >= -AT_ONCE_MS * ms && ago <= AT_ONCE_MS * ms &&
            (!found || a->until - a->at > found->until - found->at))
            found = a;
    }
    return found;
}

static const struct mh_frame *innermost(const struct mh_model *m, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    return s && s->nframes ? &m->frames.v[s->frames] : NULL;
}

static bool is_on(const struct mh_model *m, const struct mh_frame *f, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const struct mh_frame *other = &m->frames.v[s->frames + i];

        if (other->function == f->function && other->file == f->file)
            return true;
    }
    return false;
}

/* What waits in a function of Python's own (Condition.wait, a queue, an executor, logging) waits
 * for anything, or for a lock that is not the application's. */
static bool is_lock(const struct looking *l, const struct mh_locked *w)
{
    const struct mh_frame *f = innermost(l->g->m, w->stack);

    return f && f->kind == MH_FRAME_app && w->got && w->by && w->by != w->tid &&
           !l->g->m->processes.v[w->process].baseline;
}

static int take(struct looking *l, uint32_t i)
{
    const struct mh_model *m = l->g->m;
    const struct mh_locked *w = &m->locked.v[i];
    const struct mh_act *a = is_lock(l, w) ? call_before(l, w) : NULL;
    struct mh_tally *t;

    if (!a)
        return 0;
    if (!is_on(m, innermost(m, w->stack), a->stack)) {
        l->unsure++;
        return 0;
    }
    t = mh_tally_of(&l->tallies, w->site, a->peer);
    if (!t)
        return -ENOMEM;
    t->fired++;
    t->failed += !w->limited;
    t->real += !mh_model_fault_active(m, a->until - 1);
    if (!w->limited && (!t->passed || w->until - w->at > t->worst)) {
        t->worst = w->until - w->at;
        t->example = (uint32_t)(a - m->acts.v) + 1;
        t->passed = i + 1; /* here: the wait that is shown */
    }
    l->limited += w->limited;
    return 0;
}

/* Two threads of a process in long calls from one place at once: nothing keeps them apart there. */
static int apart(struct looking *l)
{
    const struct mh_model *m = l->g->m;
    struct mh_map open = {0}; /* by process and site: act plus 1 */
    int r = 0;

    for (size_t i = 0; i < l->calls.n && !r; i++) {
        const struct mh_act *a = &m->acts.v[l->calls.v[i]], *before;
        uint64_t key = mh_mix2(a->process, a->site);
        uint32_t have = mh_map_get(&open, key);
        struct mh_tally *t;

        if (!a->site || !mh_model_fault_active(m, a->until - 1))
            continue;
        before = have == MH_MAP_NONE ? NULL : &m->acts.v[have - 1];
        if (before && before->tid != a->tid &&
            MH_MIN(a->until, before->until) - MH_MAX(a->at, before->at) >= LONG_MS * ms / 2) {
            t = mh_tally_of(&l->tallies, a->site, a->peer);
            r = t ? 0 : -ENOMEM;
            if (t)
                t->fired++;
        }
        if (!r && (!before || a->until > before->until))
            r = mh_map_set(&open, key, l->calls.v[i] + 1);
    }
    mh_map_done(&open);
    return r;
}

static const char *call_of(const struct mh_model *m, const struct mh_act *a)
{
    if (a->kind == MH_ACT_op)
        return mh_op_rows[m->ops.v[a->op].kind].name;
    return a->kind == MH_ACT_dns ? "getaddrinfo" : a->kind == MH_ACT_attempt ? "connect" : "recv";
}

static int file(struct looking *l, const struct mh_tally *t)
{
    struct mh_grading *g = l->g;
    const struct mh_model *m = g->m;
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_high);
    const struct mh_locked *w = t->passed ? &m->locked.v[t->passed - 1] : NULL;
    const struct mh_act *a = t->example ? &m->acts.v[t->example - 1] : NULL;

    if (!j)
        return -ENOMEM;
    j->observed = t->real && t->real == t->failed;
    if (j->verdict == MH_VERDICT_pass || !w || !a) {
        mh_reason(j, "%u times a call hung here, and other threads went on, or waited with a limit",
                  t->fired);
        return 0;
    }
    mh_sentence(
        j->evidence,
        "%u of %u waits of threads for a lock had no limit and ended when the one that held "
        "it came back from a call; the longest took %s",
        t->failed, t->fired, MH_SPAN(t->worst));
    mh_sentence(
        j->evidence,
        "thread %u waited in %s while thread %u, in the same function, stood in %s %s for %s",
        w->tid, mh_name_frame(g, innermost(m, w->stack), (char[200]){0}, 200), w->by, call_of(m, a),
        mh_name_peer(g, a->peer), MH_SPAN(a->until - a->at));
    return 0;
}

int mh_judge_2012(struct mh_grading *g)
{
    struct looking l = {.g = g};
    int r = learn(&l);

    if (!r)
        r = apart(&l);
    for (uint32_t i = 0; i < g->m->locked.n && !r; i++)
        r = take(&l, i);
    for (size_t i = 0; i < l.tallies.list.n && !r; i++)
        r = file(&l, &l.tallies.list.v[i]);
    if (!r && !l.tallies.list.n && l.unsure)
        r = mh_judge_none(g, MH_VERDICT_unclear,
                          "threads waited until another came back from a call, from another "
                          "function: for a lock of its, or for what it had fetched",
                          NULL);
    else if (!r && !l.tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no call hung while another thread came to the same place",
                          "[fault x] call = recv, peer = PEER:PORT, delay = 2s");
    free(l.calls.v);
    mh_tallies_done(&l.tallies);
    return r;
}
