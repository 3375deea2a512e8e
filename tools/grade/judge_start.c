/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0105: a process that cannot reach what it needs before it serves leaves without another try.
 * Who starts it again, if anybody is seen to, decides how much that matters. */
#include <errno.h>
#include <stdint.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { EXIT_S = 5, WATCH_S = 10, AT_ONCE_S = 1 };
static const int64_t walk_ns = 50000000; /* to the next address of the same name */

bool mh_process_serves(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *p = &g->m->processes.v[process];

    return p->nunits && !p->command_run && g->m->units.v[p->first_unit].kind == MH_UNIT_request;
}

static bool is_child(const struct mh_process *p, const struct mh_process *parent)
{
    return p != parent && p->forked && p->ppid == parent->pid && p->host == parent->host &&
           p->baseline == parent->baseline && p->started >= parent->started;
}

const struct mh_process *mh_process_parent(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *p = &g->m->processes.v[process];

    for (size_t i = 0; i < g->m->processes.n; i++)
        if (is_child(p, &g->m->processes.v[i]))
            return &g->m->processes.v[i];
    return NULL;
}

/* A child of one that listens for others and serves nothing itself: a worker, if any of its
 * children serves, or none has come so far yet. */
static bool is_worker(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *parent = mh_process_parent(g, process);

    if (!parent || parent->nunits)
        return false;
    for (uint32_t i = 0; i < g->m->processes.n; i++)
        if (is_child(&g->m->processes.v[i], parent) && mh_process_serves(g, i))
            return true;
    return parent->listening > 0;
}

bool mh_process_is_server(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *p = &g->m->processes.v[process];

    if (mh_process_serves(g, process) || p->listening || is_worker(g, process))
        return true;
    /* it was to answer, and never did */
    if (g->m->child_never_ready && p->pid == g->m->child_pid)
        return true;
    for (uint32_t i = 0; i < g->m->processes.n && !p->forked; i++)
        if (!g->m->processes.v[i].forked && g->m->processes.v[i].command == p->command &&
            mh_process_serves(g, i))
            return true;
    return false;
}

/* ---- what failed before the first request, and what came of it ---- */

enum fate { NOTHING, SERVED, LEFT, LEFT_AFTER_TRIES, UNKNOWN };

struct start {
    const struct mh_act *first, *last; /* failures */
    enum fate fate;
    unsigned tries;
};

static int64_t first_request(const struct mh_grading *g, const struct mh_process *p)
{
    int64_t first = INT64_MAX;

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++)
        first = MH_MIN(first, g->m->units.v[i].begun);
    return first;
}

static bool is_failure(const struct mh_grading *g, const struct mh_act *a)
{
    const struct mh_op_seen *o = a->kind == MH_ACT_op ? &g->m->ops.v[a->op] : NULL;

    if (!o || a->unit || o->effect - 1 == MH_EFFECT_kill)
        return false;
    if (o->kind == MH_OP_getaddrinfo)
        return o->err != 0;
    return a->peer &&
           (o->kind == MH_OP_connect || o->kind == MH_OP_recv || o->kind == MH_OP_send) &&
           (o->err || o->effect - 1 == MH_EFFECT_eof || o->effect - 1 == MH_EFFECT_reset);
}

/* Is this the same thing tried again, and not the next address of the same name? */
static bool is_try(const struct mh_grading *g, const struct start *s, const struct mh_act *a)
{
    const struct mh_op_seen *o = &g->m->ops.v[s->first->op];
    const struct mh_act *own = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;

    if (o->kind == MH_OP_getaddrinfo && !s->first->peer)
        return a->kind == MH_ACT_dns && a->site == s->first->site && a->at > s->first->until;
    if (a->kind != MH_ACT_attempt || a == own || a->peer != s->first->peer || a->at < s->first->at)
        return false;
    return !own || a->attempt.family_id == own->attempt.family_id ||
           a->at - s->first->until > walk_ns;
}

static enum fate fate_of(const struct mh_grading *g, const struct mh_process *p,
                         const struct start *s)
{
    bool stopped = g->m->child_stopped && p->last > g->m->last - 2 * second;

    if (p->nunits)
        return SERVED;
    if (p->exited && p->exit_status && !stopped && p->last - s->last->at <= EXIT_S * second)
        return s->tries ? LEFT_AFTER_TRIES : LEFT;
    return UNKNOWN;
}

static struct start start_of(const struct mh_grading *g, const struct mh_process *p)
{
    int64_t until = first_request(g, p);
    struct start s = {.fate = NOTHING};

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->at >= until || !is_failure(g, a))
            continue;
        s.first = s.first ? s.first : a;
        s.last = a;
    }
    if (!s.first)
        return s;
    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++)
        s.tries += is_try(g, &s, &g->m->acts.v[i]);
    s.fate = fate_of(g, p, &s);
    return s;
}

/* ---- who starts it again ---- */

enum keeper { NOBODY_SEEN, AGAIN, GAVE_UP };

static enum keeper keeper_of(const struct mh_grading *g, uint32_t process)
{
    const struct mh_process *p = &g->m->processes.v[process];
    const struct mh_process *parent = mh_process_parent(g, process);

    if (parent && parent->exited && parent->exit_status && !g->m->child_stopped)
        return GAVE_UP;
    for (uint32_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *q = &g->m->processes.v[i];

        if (q->started > p->last && !q->baseline && q->host == p->host &&
            (parent ? is_child(q, parent) : q->command == p->command) && mh_process_is_server(g, i))
            return AGAIN;
    }
    return parent && g->m->last - p->last >= WATCH_S * second ? GAVE_UP : NOBODY_SEEN;
}

/* ---- the rule ---- */

struct place {
    struct mh_tallies tallies;
    unsigned unknown;
};

/* of a tally: `worst` is the worst keeper, `example` the process plus 1, `partial` how many of the
 * failures were followed by the end at once */
static int take(struct mh_grading *g, struct place *place, uint32_t process)
{
    static const int rank[] = {[AGAIN] = 1, [NOBODY_SEEN] = 2, [GAVE_UP] = 3};
    const struct mh_process *p = &g->m->processes.v[process];
    struct start s = start_of(g, p);
    struct mh_tally *t;

    if (s.fate == NOTHING || s.fate == UNKNOWN) {
        place->unknown += s.fate == UNKNOWN;
        return 0;
    }
    t = mh_tally_of(&place->tallies, s.first->site, s.first->peer);
    if (!t)
        return -ENOMEM;
    t->fired++;
    t->real += !g->m->ops.v[s.first->op].fault;
    t->polite += s.fate == LEFT_AFTER_TRIES;
    if (s.fate != LEFT) {
        t->passed = process + 1;
        return 0;
    }
    t->failed++;
    t->unhealthy += p->last - s.last->at <= AT_ONCE_S * second;
    if (rank[keeper_of(g, process)] > t->worst) {
        t->worst = rank[keeper_of(g, process)];
        t->example = process + 1;
    }
    return 0;
}

static void say(struct mh_grading *g, struct mh_judgement *j, const struct mh_tally *t)
{
    static const char *const keepers[] = {
        "", "it was started again by what supervises it",
        "who would start it again is not seen here",
        "what supervised it gave up, too: nobody serves in its place"};
    const struct mh_process *p = &g->m->processes.v[t->example - 1];
    struct start s = start_of(g, p);
    const struct mh_op_seen *o = &g->m->ops.v[s.first->op];
    const char *err = mh_name_err(o->kind, o->err), *peer = mh_name_peer(g, t->peer);

    mh_sentence(j->evidence,
                "%u of %u processes that were refused %s before their first request left within "
                "%d s, without another try",
                t->failed, t->fired, *peer ? peer : "a name", EXIT_S);
    mh_sentence(j->evidence, "pid %d: %s in %s (%s), exit status %d after %s; %s", p->pid,
                err ? err : "an early end", mh_op_rows[o->kind].name,
                o->fault ? mh_name_fault(g, o->fault) : "observed, not injected", p->exit_status,
                MH_SPAN(p->last - s.first->at), keepers[t->worst]);
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u went on to serve, or tried again", t->fired - t->failed,
                    t->fired);
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    static const enum mh_severity severities[] = {MH_SEVERITY_medium, MH_SEVERITY_low,
                                                  MH_SEVERITY_medium, MH_SEVERITY_high};
    enum mh_confidence confidence = mh_tally_confidence(t);
    const struct mh_process *p = &g->m->processes.v[(t->example ? t->example : t->passed) - 1];
    struct mh_judgement *j;

    /* nothing else came between the failure and the exit: one time is enough to know why */
    if (t->failed && t->unhealthy == t->failed && confidence == MH_CONFIDENCE_low)
        confidence = MH_CONFIDENCE_medium;
    j = mh_judge_file(g, mh_tally_verdict(t), t->site, t->peer, severities[t->worst], confidence);
    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = t->failed;
    j->observed = t->real > 0;
    j->stack = start_of(g, p).first->stack;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u processes that could not reach %s at first %s", t->fired - t->failed,
                  t->fired, *mh_name_peer(g, t->peer) ? mh_name_peer(g, t->peer) : "a name",
                  t->polite ? "tried again, or served all the same" : "served all the same");
    else
        say(g, j, t);
    return 0;
}

int mh_judge_0105(struct mh_grading *g)
{
    struct place place = {.unknown = 0};
    int r = 0;

    for (uint32_t i = 0; i < g->m->processes.n && !r; i++)
        if (!g->m->processes.v[i].baseline && !g->m->processes.v[i].attached &&
            mh_process_is_server(g, i))
            r = take(g, &place, i);
    for (size_t i = 0; i < place.tallies.list.n && !r; i++)
        r = file(g, &place.tallies.list.v[i]);
    if (!r && !place.tallies.list.n)
        r = place.unknown
                ? mh_judge_none(g, MH_VERDICT_unclear,
                                "a process could not reach what it needs before its first request, "
                                "and had neither served nor left when the run ended",
                                NULL)
                : mh_judge_none(g, MH_VERDICT_not_exercised,
                                "nothing failed in a process that had not served yet",
                                "[fault x] call = connect, error = ECONNREFUSED; in force from the "
                                "start, or while a worker that was killed is replaced");
    mh_tallies_done(&place.tallies);
    return r;
}
