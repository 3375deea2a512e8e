/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0605: what the inner calls may take, limit by limit and try by try, is more than the caller
 * waits. A caller that left is noticed at the latest when the answer is written, so its patience is
 * known from both sides: longer than any request that it stayed for, shorter than any it left. Who
 * watches over a worker has a patience, too: the kernel saw whom it ended, and in which wait. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t ms = 1000000;
static const int64_t longest = INT64_C(1000000000000000);

/* What callers of a route waited for, at most, and what they did not wait for, at least; 0 none. */
struct patience {
    int64_t stayed, left;
};

static bool counts(const struct mh_grading *g, const struct mh_unit *u)
{
    return !u->command && !u->open && !g->m->processes.v[u->process].baseline;
}

static struct patience *find_patience(const struct mh_grading *g)
{
    struct patience *ret = calloc(g->m->routes.n + 1, sizeof(*ret));

    for (size_t i = 0; ret && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        struct patience *p = &ret[u->route];

        if (!counts(g, u))
            continue;
        if (u->how == 1)
            p->left = p->left ? MH_MIN(p->left, u->latency) : u->latency;
        else
            p->stayed = MH_MAX(p->stayed, u->latency);
    }
    return ret;
}

/* Nobody stayed for longer than what others did not wait for: a limit, and not a whim. */
static bool is_sharp(const struct patience *p)
{
    return p->stayed <= p->left + p->left / 10 + 100 * ms;
}

/* For how long the limits of the calls of a unit let it go on; *ret_act: the last such call. */
static int64_t allowed(const struct mh_grading *g, const struct mh_unit *u,
                       const struct mh_act **ret_act)
{
    int64_t until = u->begun;
    bool failed = false;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        failed |= a->kind == MH_ACT_attempt && a->failed;
        if (a->kind == MH_ACT_wait && !a->loop && (a->pending || a->connecting) && a->peer &&
            a->wait.timeout > 0 && !mh_is_pace(g, a)) {
            *ret_act = a;
            until = MH_MAX(until, a->at + MH_MIN(a->wait.timeout, longest));
        } else if (a->kind == MH_ACT_sleep && failed)
            until = MH_MAX(until, a->at + MH_MIN(a->requested, longest));
    }
    return until - u->begun;
}

/* The call that ended by a limit of its own, if there was one. */
static const struct mh_act *ran_out(const struct mh_grading *g, const struct mh_unit *u)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_waited && !a->loop && a->peer && a->wait.timeout > 0 &&
            a->wait.ready == 0)
            return a;
    }
    return NULL;
}

struct outer {
    const struct patience *of;
    int64_t left, wanted;
    int64_t watched, allowed; /* when workers were ended in their calls, and the limits of these */
    bool blunt;               /* some route's patience is none that can be told */
};

/* Is it known that this route's callers wait for a deadline, and not much longer than that? A
 * caller that was found gone while its calls went on (early) was noticed when it left. */
static bool is_known(const struct mh_grading *g, const struct mh_unit *u, const struct patience *p,
                     bool early)
{
    int64_t deadline = g->m->routes.v[u->route - 1].deadline;

    return is_sharp(p) && (early || p->stayed >= deadline / 10 * 9);
}

static int take(struct mh_grading *g, struct mh_tallies *tallies, const struct mh_unit *u,
                struct outer *o)
{
    const struct patience *p = &o->of[u->route];
    const struct mh_act *a = ran_out(g, u);
    bool gone = u->how == 1, early;
    int64_t wanted = gone ? allowed(g, u, &a) : 0;
    struct mh_tally *t;

    early = wanted > p->left + p->left / 10 + 100 * ms;
    /* nobody can be asked to be quicker than the deadline */
    if (!a || (gone && p->left < g->m->routes.v[u->route - 1].deadline) ||
        (gone && !early && !ran_out(g, u)))
        return 0;
    if (gone && !is_known(g, u, p, early)) {
        o->blunt = true;
        return 0;
    }
    t = mh_tally_of(tallies, a->site, a->peer);
    if (!t)
        return -ENOMEM;
    t->fired++;
    t->failed += gone;
    t->ambiguous += a->ambiguous;
    t->example = (uint32_t)(a - g->m->acts.v) + 1; /* an act, here */
    if (gone) {
        o->left = MH_MAX(o->left, p->left);
        o->wanted = MH_MAX(o->wanted, wanted);
    } else
        t->worst = MH_MAX(t->worst, u->latency);
    return 0;
}

/* ---- a worker ended by who watches over it ---- */

enum { ENDS_FEW = 2 };

/* Somebody told the parent something, which may be why it ended its child; routine signals are not
 * recorded. */
static bool was_told(const struct mh_grading *g, const struct mh_process *parent, int64_t at)
{
    for (size_t i = 0; i < g->m->kernel.signals.n; i++)
        if (g->m->kernel.signals.v[i].pid == parent->pid && g->m->kernel.signals.v[i].at <= at)
            return true;
    for (size_t i = 0; i < g->m->stops.n; i++)
        if (g->m->stops.v[i].at <= at)
            return true;
    return false;
}

/* When the process was ended, unasked, by the one that forked it; 0: it was not. */
static int64_t ended_by_parent(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *p = &g->m->processes.v[process];
    const struct mh_process *parent = p->forked ? mh_process_parent(g, process) : NULL;
    int64_t at = 0;

    for (size_t i = 0; parent && i < g->m->kernel.signals.n; i++) {
        const struct mh_kernel_signal *s = &g->m->kernel.signals.v[i];

        if (s->pid == p->pid && s->sender == parent->pid && s->at > p->started &&
            (s->signal == SIGABRT || s->signal == SIGKILL))
            at = at ? MH_MIN(at, s->at) : s->at;
    }
    return at && !was_told(g, parent, at) ? at : 0;
}

/* The call in which the main thread of the process stood then, for longer than the route's
 * deadline, and would have stood longer. What else may be amiss in a worker (memory, another
 * thread) shows in no such wait. */
static const struct mh_act *stood_in(const struct mh_grading *g, const struct mh_unit *u,
                                     int64_t at)
{
    const struct mh_process *p = &g->m->processes.v[u->process];
    const struct mh_act *last = NULL;

    if (!counts(g, u) || !u->touched || u->begun >= at || u->ended < at - 100 * ms ||
        at - u->begun < g->m->routes.v[u->route - 1].deadline)
        return NULL;
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->at <= at && (a->kind == MH_ACT_wait || a->kind == MH_ACT_attempt))
            last = a;
    }
    return last && last->kind == MH_ACT_wait && !last->loop &&
                   (last->pending || last->connecting) && last->peer && last->wait.timeout > 0 &&
                   (int64_t)last->tid == p->pid && last->at + last->wait.timeout > at + 100 * ms
               ? last
               : NULL;
}

/* Counts the requests of one process that were in such a call when it was ended. */
static int take_ended(struct mh_grading *g, struct mh_tallies *ended, uint32_t process,
                      struct outer *o)
{
    const struct mh_process *p = &g->m->processes.v[process];
    int64_t at = p->nunits ? ended_by_parent(g, process) : 0;

    for (size_t i = p->first_unit; at && i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_act *a = stood_in(g, u, at);
        struct mh_tally *t = a ? mh_tally_of(ended, a->site, a->peer) : NULL;

        if (!a)
            continue;
        if (!t)
            return -ENOMEM;
        t->fired++;
        t->example = (uint32_t)(a - g->m->acts.v) + 1;
        o->watched = MH_MAX(o->watched, at - u->begun);
        o->allowed = MH_MAX(o->allowed, MH_MIN(a->wait.timeout, longest));
    }
    return 0;
}

/* One worker alone may have been ended for anything. */
static int add_ended(struct mh_grading *g, struct mh_tallies *tallies, struct outer *o)
{
    struct mh_tallies ended = {0};
    int r = 0;

    for (uint32_t p = 0; p < g->m->processes.n && !r; p++)
        r = take_ended(g, &ended, p, o);
    for (size_t i = 0; i < ended.list.n && !r; i++) {
        const struct mh_tally *e = &ended.list.v[i];
        struct mh_tally *t = e->fired >= ENDS_FEW ? mh_tally_of(tallies, e->site, e->peer) : NULL;

        if (e->fired < ENDS_FEW)
            continue;
        if (!t) {
            r = -ENOMEM;
            break;
        }
        t->fired += e->fired;
        t->failed += e->fired;
        t->window = e->fired; /* here: those whose worker was ended */
        t->example = e->example;
    }
    mh_tallies_done(&ended);
    return r;
}

static int file(struct mh_grading *g, const struct mh_tally *t, const struct outer *o)
{
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_medium);
    unsigned left = t->failed - t->window;

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j,
                  "%u of %u requests in which %s ran into a limit were answered while the caller "
                  "still waited, after %s at most",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer), MH_SPAN(t->worst));
        return 0;
    }
    if (t->window)
        mh_sentence(j->evidence,
                    "%u requests waited for %s within a limit of %s, and the process that watches "
                    "over their worker ended it after %s or less, unasked",
                    t->window, mh_name_peer(g, t->peer), MH_SPAN(o->allowed), MH_SPAN(o->watched));
    if (left)
        mh_sentence(j->evidence,
                    "callers leave after %s or less; the limits of the calls of %s, with tries and "
                    "pauses, let a request go on for %s: %u of %u callers were gone",
                    MH_SPAN(o->left), mh_name_peer(g, t->peer), MH_SPAN(o->wanted), left,
                    t->fired - t->window);
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u were still there", t->fired - t->failed, t->fired);
    return 0;
}

int mh_judge_0605(struct mh_grading *g)
{
    struct patience *patience = find_patience(g);
    struct outer o = {.of = patience};
    struct mh_tallies tallies = {0};
    bool failed = false;
    int r = patience ? 0 : -ENOMEM;

    for (size_t i = 0; i < g->m->units.n && !r; i++)
        if (counts(g, &g->m->units.v[i]) && g->m->units.v[i].touched)
            r = take(g, &tallies, &g->m->units.v[i], &o);
    if (!r)
        r = add_ended(g, &tallies, &o);
    for (size_t i = 0; i < tallies.list.n; i++)
        failed |= tallies.list.v[i].failed > 0;
    o.blunt &= !failed;
    for (size_t i = 0; i < tallies.list.n && !r && !o.blunt; i++)
        r = file(g, &tallies.list.v[i], &o);
    if (!r && (!tallies.list.n || o.blunt))
        r = mh_judge_none(g, o.blunt ? MH_VERDICT_unclear : MH_VERDICT_not_exercised,
                          o.blunt ? "callers left, but for how long they wait cannot be told: some "
                                    "left sooner than others stayed, or none stayed for a deadline"
                                  : "no call of a request ran into its limit, and no caller left "
                                    "that had waited for a deadline (1 s or more)",
                          "[fault x] call = net.recv, side = client, hang = yes");
    mh_tallies_done(&tallies);
    free(patience);
    return r;
}
