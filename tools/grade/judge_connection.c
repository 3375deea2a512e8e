/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2003: a connection whose answer nobody waited for any more is given to the next caller. */
#include <errno.h>

#include "grade/judge.h"

#include "base/banned.h"

/* What came of a connection after a request on it had been given up. */
enum fate { UNUSED, CLOSED, USED_BY_OTHERS };

/* Did the caller itself, and not a reader beside it, stop waiting for an answer that never came? */
static bool given_up(const struct mh_grading *g, const struct mh_act *a)
{
    const struct mh_act *asked = a->attempt_of ? &g->m->acts.v[a->attempt_of - 1] : NULL;

    return a->kind == MH_ACT_waited && a->blocking && !a->loop && a->wait.ready == 0 &&
           a->wait.timeout > 0 && a->unit && a->conn && asked && asked->failed &&
           (!asked->answered || asked->attempt.ended > a->at + a->wait.waited) &&
           asked->attempt.digest && asked->unit == a->unit && asked->tid == a->tid;
}

/* The late answer itself was read, by another request. */
static bool reads_late(const struct mh_grading *g, const struct mh_act *b, const struct mh_act *a)
{
    return b->kind == MH_ACT_waited && b->wait.ready > 0 && b->unit && b->unit != a->unit &&
           b->attempt_of == a->attempt_of && g->m->acts.v[a->attempt_of - 1].answered;
}

static enum fate fate_of(const struct mh_grading *g, const struct mh_act *a,
                         const struct mh_act **ret_next)
{
    const struct mh_process *p = &g->m->processes.v[a->process];
    const struct mh_act *end = g->m->acts.v + p->first_act + p->nacts;

    for (const struct mh_act *b = a + 1; b < end; b++) {
        if (b->conn != a->conn)
            continue;
        if (b->kind == MH_ACT_close)
            return CLOSED;
        if (reads_late(g, b, a)) {
            *ret_next = b;
            return USED_BY_OTHERS;
        }
        if (b->kind != MH_ACT_attempt)
            continue;
        if (g->m->acts.v[a->attempt_of - 1].answered)
            return UNUSED; /* who had given up waited again, and read it */
        *ret_next = b;
        return b->pooled && b->attempt.digest && b->unit && b->unit != a->unit ? USED_BY_OTHERS
                                                                               : UNUSED;
    }
    return UNUSED;
}

/* Answers come in the order of the requests: HTTP/1.x, and redis. */
static bool in_order(const struct mh_grading *g, const struct mh_act *a)
{
    return g->m->acts.v[a->attempt_of - 1].attempt.text &&
           *mh_model_text(g->m, g->m->acts.v[a->attempt_of - 1].attempt.text);
}

struct count {
    struct mh_tallies tallies;
    unsigned numbered; /* used by others, but its answers may carry numbers */
};

/* example, of a tally: the act plus 1 that was given up. */
static int look(const struct mh_grading *g, struct count *c)
{
    uint32_t last = 0;

    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i], *next = NULL;
        struct mh_tally *t;
        enum fate fate;

        if (!given_up(g, a) || a->attempt_of == last)
            continue;
        last = a->attempt_of; /* waits for one answer that follow each other count once */
        fate = fate_of(g, a, &next);
        if (fate == USED_BY_OTHERS && !in_order(g, a)) {
            c->numbered++;
            continue;
        }
        if (fate == UNUSED)
            continue;
        t = mh_tally_of(&c->tallies, a->site, a->peer);
        if (!t)
            return -ENOMEM;
        t->fired++;
        t->failed += fate == USED_BY_OTHERS;
        t->ambiguous += a->ambiguous || (next && next->ambiguous);
        if (!t->example || (fate == USED_BY_OTHERS && t->failed == 1))
            t->example = (uint32_t)i + 1;
    }
    return 0;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    const struct mh_act *a = &g->m->acts.v[t->example - 1], *next = NULL;
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_critical);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j, "%u of %u requests to %s that were given up took their connection with them",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer));
        return 0;
    }
    fate_of(g, a, &next);
    mh_sentence(j->evidence,
                "%u of %u requests to %s that were given up, unanswered, left their connection to "
                "the request of another caller",
                t->failed, t->fired, mh_name_peer(g, t->peer));
    mh_sentence(j->evidence, "%s stopped waiting after %s; %s later %s %s on the same connection",
                mh_name_route(g, a->unit), MH_SPAN(a->wait.timeout),
                MH_SPAN(next->at - a->at - a->wait.waited), mh_name_route(g, next->unit),
                next->kind == MH_ACT_attempt ? "sent its own" : "waited for its own");
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u closed it", t->fired - t->failed, t->fired);
    return 0;
}

int mh_judge_2003(struct mh_grading *g)
{
    struct count c = {.numbered = 0};
    int r = look(g, &c);

    for (size_t i = 0; i < c.tallies.list.n && !r; i++)
        r = file(g, &c.tallies.list.v[i]);
    if (!r && !c.tallies.list.n)
        r = c.numbered ? mh_judge_none(g, MH_VERDICT_unclear,
                                       "connections were used again after a timeout, in a protocol "
                                       "that may tell late answers apart",
                                       NULL)
                       : mh_judge_none(g, MH_VERDICT_not_exercised,
                                       "no request was given up by a wait with a limit",
                                       "[fault x] call = recv, peer = *, hang = yes");
    mh_tallies_done(&c.tallies);
    return r;
}
