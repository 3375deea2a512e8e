/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2004: the event loop stands still. Direct proof: the thread that stood, in a coroutine's or a
 * greenlet's own call, of a loop that more than one request depends on. */
#include <errno.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t blocked_ns = 100000000;

static uint64_t place(uint32_t site, uint32_t peer)
{
    return mh_mix2(site, peer);
}

/* Other requests in flight in the process while the thread stood still. */
static unsigned bystanders(const struct mh_grading *g, const struct mh_act *a, int64_t span)
{
    const struct mh_process *p = &g->m->processes.v[a->process];
    unsigned n = 0;

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        n += i + 1 != a->unit && u->begun <= a->at + span && u->ended >= a->at;
    }
    return n;
}

/* How long a coroutine, or a greenlet, made its thread stand still with this; 0: it did not. */
static int64_t stood_still(const struct mh_grading *g, const struct mh_act *a)
{
    if (!a->unit || (!a->task && !mh_on_greenlet(g->m, a->process, a->tid, a->stack)))
        return 0;
    if (a->kind == MH_ACT_waited && a->blocking && !a->loop)
        return a->wait.waited;
    if (a->kind == MH_ACT_sleep)
        return a->requested;
    if (a->kind == MH_ACT_op) {
        const struct mh_op_seen *o = &g->m->ops.v[a->op];

        /* a file's delay holds the thread itself, and is on record before it is over */
        return o->nonblocking ? 0 : MH_MAX(o->wait, a->peer ? 0 : o->delay);
    }
    return 0;
}

/* alone: of loops that work for one request only, and so harm no other. */
struct blocking {
    struct mh_tallies shared, alone;
};

static int tally_blocks(const struct mh_grading *g, struct blocking *b)
{
    struct mh_map loops = {0};
    int r = mh_shared_loops(g, &loops);

    for (size_t i = 0; i < g->m->acts.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        int64_t span = stood_still(g, a);
        bool shared;
        struct mh_tally *t;

        /* one wait may be told by its `waited` and by the operation that the fault delayed */
        if (span < blocked_ns || (a->kind == MH_ACT_op && a->peer))
            continue;
        shared = mh_map_get(&loops, mh_thread_key(a->process, a->tid)) != MH_MAP_NONE;
        t = mh_tally_act(shared ? &b->shared : &b->alone, a, true);
        if (!t) {
            r = -ENOMEM;
            break;
        }
        t->partial += bystanders(g, a, span); /* harmed, here */
        if (span > t->worst) {
            t->worst = span;
            t->example = (uint32_t)i + 1;
        }
    }
    mh_map_done(&loops);
    return r;
}

static bool is_blocked(const struct blocking *b, const struct mh_trial *t)
{
    return mh_map_get(&b->shared.keys, place(t->site, t->peer)) != MH_MAP_NONE ||
           mh_map_get(&b->alone.keys, place(t->site, t->peer)) != MH_MAP_NONE;
}

/* A delay that a request of a loop got: on a connection, or on a file in another thread. */
static bool is_awaited(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_act *a = &g->m->acts.v[o->act];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    if (!u->task && !a->task && !mh_sent_by_loop(g->m, u) && !mh_unit_on_greenlet(g->m, u))
        return false;
    return t->peer ? o->delay >= blocked_ns || mh_effect_silent(t->effect)
                   : o->delay >= blocked_ns && !a->task && a->tid != u->tid;
}

/* Delays that a coroutine got, and did not stand still for. */
static int tally_awaited(const struct mh_grading *g, const struct blocking *b,
                         struct mh_tallies *awaited)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        struct mh_tally *tally;

        if (!is_awaited(g, t) || is_blocked(b, t))
            continue;
        tally = mh_tally_of(awaited, t->site, t->peer);
        if (!tally)
            return -ENOMEM;
        tally->fired++;
        tally->ambiguous += t->ambiguous;
        tally->passed = i + 1;
    }
    return 0;
}

static int file_block(struct mh_grading *g, const struct mh_tally *t)
{
    const struct mh_act *a = &g->m->acts.v[t->example - 1];
    enum mh_confidence confidence =
        t->partial || t->fired >= 3 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium;
    struct mh_judgement *j =
        mh_judge_file(g, MH_VERDICT_fail, t->site, t->peer, MH_SEVERITY_high, confidence);

    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = t->failed;
    j->stack = a->stack;
    mh_sentence(j->evidence,
                "%s made the event loop's thread stand still %u times, for %s at most "
                "(%s%s%s); %s, for one",
                a->task && !mh_task_is_greenlet(a->task) ? "a coroutine" : "a greenlet", t->fired,
                MH_SPAN(t->worst),
                a->kind == MH_ACT_sleep                        ? "sleep()"
                : a->kind == MH_ACT_waited                     ? mh_name_call(a->wait.call)
                : g->m->ops.v[a->op].kind == MH_OP_getaddrinfo ? "a look-up of a name"
                                                               : "a file operation",
                t->peer ? " on " : "", mh_name_peer(g, t->peer), mh_name_route(g, a->unit));
    if (t->partial)
        mh_sentence(j->evidence,
                    "%u times another request was in flight in the same process and had to "
                    "wait",
                    t->partial);
    else
        mh_sentence(j->counter, "no other request was in flight at those moments");
    return 0;
}

static int file_other(struct mh_grading *g, const struct mh_tallies *alone)
{
    struct mh_judgement *j;
    unsigned times = 0;
    int64_t worst = 0;

    if (!alone->list.n)
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "no delay of 100 ms or more hit a request of the event loop",
                             "[fault x] call = net.recv, delay = 500ms");
    for (size_t i = 0; i < alone->list.n; i++) {
        times += alone->list.v[i].fired;
        worst = MH_MAX(worst, alone->list.v[i].worst);
    }
    j = mh_judge_file(g, MH_VERDICT_unclear, 0, 0, MH_SEVERITY_high, MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    mh_reason(j,
              "coroutines made their thread stand still %u times, for %s at most, but no loop was "
              "seen that works for more than one request",
              times, MH_SPAN(worst));
    return 0;
}

int mh_judge_2004(struct mh_grading *g)
{
    struct blocking b = {0};
    struct mh_tallies awaited = {0};
    int r = tally_blocks(g, &b);

    if (!r)
        r = tally_awaited(g, &b, &awaited);
    for (size_t i = 0; i < b.shared.list.n && !r; i++)
        r = file_block(g, &b.shared.list.v[i]);
    for (size_t i = 0; i < awaited.list.n && !r; i++) {
        const struct mh_tally *t = &awaited.list.v[i];
        struct mh_judgement *j = mh_judge_file(g, MH_VERDICT_pass, t->site, t->peer,
                                               MH_SEVERITY_high, mh_tally_confidence(t));

        if (!j)
            r = -ENOMEM;
        else if (t->peer)
            mh_reason(j, "%u delays of 100 ms or more at %s, and the loop went on", t->fired,
                      mh_name_peer(g, t->peer));
        else
            mh_reason(j, "%u delays of 100 ms or more of files, and the loop went on", t->fired);
    }
    if (!r && !b.shared.list.n && !awaited.list.n)
        r = file_other(g, &b.alone);
    mh_tallies_done(&b.shared);
    mh_tallies_done(&b.alone);
    mh_tallies_done(&awaited);
    return r;
}
