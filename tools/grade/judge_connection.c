/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2003: a connection whose answer nobody waited for any more is given to the next caller. */
#include <errno.h>

#include "base/hash.h"
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

/* The judgement of these requests, which says so where it passes; NULL: no memory. */
static struct mh_judgement *judged(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_critical);

    if (j && j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u requests to %s that were given up took their connection with them",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer));
    return j;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    const struct mh_act *a = &g->m->acts.v[t->example - 1], *next = NULL;
    struct mh_judgement *j = judged(g, t);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        return 0;
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

/* ---- event loops ---- */

/* Who reads what a loop's transport has read is not seen. But a request whose caller got its answer
 * before the answer to it had come was told something else: what an earlier request, given up on
 * the same connection, had left behind. */
static const int64_t ms = 1000000;
enum { AT_ONCE_MS = 100 };

static bool by_loop(const struct mh_grading *g, const struct mh_act *a, const struct mh_unit *u)
{
    return a->task || mh_sent_by_loop(g->m, u);
}

/* Another answer, which the unit may have used instead. */
static bool had_other(const struct mh_grading *g, const struct mh_act *a, const struct mh_unit *u)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *b = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (b != a && b->kind == MH_ACT_attempt && b->answered && b->attempt.ended >= a->at)
            return true;
    }
    return false;
}

/* Well answered, at once, while its request had no answer. */
static bool answered_early(const struct mh_grading *g, const struct mh_act *a,
                           const struct mh_unit *u)
{
    int64_t took = u->ended - a->at;

    return !u->open && u->status >= 200 && u->status < 400 && a->answered && !a->ambiguous &&
           a->attempt.ended > u->ended + ms && took < AT_ONCE_MS * ms &&
           2 * took < a->attempt.ended - a->at && !had_other(g, a, u);
}

/* Its unit ended without the answer, and the connection stayed open for it. */
static bool left_behind(const struct mh_act *a, const struct mh_unit *u)
{
    bool unanswered = a->answered ? a->attempt.ended > u->ended : !a->failed;

    return !u->open && unanswered && (u->how == 1 || u->status >= 429);
}

struct line {
    struct mh_map left;     /* connection to an act, given up there */
    struct mh_map carefree; /* places whose callers never wait for an answer */
    struct mh_tallies tallies;
};

static int look_at_line(const struct mh_grading *g, uint32_t act, struct line *l)
{
    const struct mh_act *a = &g->m->acts.v[act];
    const struct mh_unit *u = mh_grading_unit(g, a->unit);
    uint32_t left = mh_map_get(&l->left, a->conn);
    bool early = answered_early(g, a, u);
    struct mh_tally *t = NULL;

    if (early && u->calm)
        return mh_map_set(&l->carefree, mh_mix2(a->site, a->peer), 1);
    if (left_behind(a, u))
        return mh_map_set(&l->left, a->conn, act + 1);
    if (a->failed && a->attempt.err == ETIMEDOUT && !a->answered && u->touched)
        t = mh_tally_act(&l->tallies, a, false); /* closed with it */
    else if (early && left != MH_MAP_NONE && g->m->acts.v[left - 1].unit != a->unit)
        t = mh_tally_act(&l->tallies, a, true);
    else
        return 0;
    if (!t)
        return -ENOMEM;
    t->example = act + 1;
    return 0;
}

static int file_line(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = judged(g, t);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass)
        return 0;
    mh_sentence(j->evidence,
                "%u callers had their answer before the one that they had asked %s for had come: "
                "they read what a request that was given up had left on the same connection",
                t->failed, mh_name_peer(g, t->peer));
    return 0;
}

static int judge_loops(struct mh_grading *g)
{
    struct line l = {.left = {0}};
    int r = 0;

    for (uint32_t i = 0; i < g->m->acts.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_attempt && a->conn && a->unit && a->attempt.digest &&
            !mh_grading_unit(g, a->unit)->command && by_loop(g, a, mh_grading_unit(g, a->unit)))
            r = look_at_line(g, i, &l);
    }
    for (size_t i = 0; i < l.tallies.list.n && !r; i++) {
        const struct mh_tally *t = &l.tallies.list.v[i];

        if (mh_map_get(&l.carefree, mh_mix2(t->site, t->peer)) == MH_MAP_NONE)
            r = file_line(g, t);
    }
    mh_tallies_done(&l.tallies);
    mh_map_done(&l.left);
    mh_map_done(&l.carefree);
    return r;
}

int mh_judge_2003(struct mh_grading *g)
{
    struct count c = {.numbered = 0};
    size_t before = g->judgements.n;
    int r = look(g, &c);

    for (size_t i = 0; i < c.tallies.list.n && !r; i++)
        r = file(g, &c.tallies.list.v[i]);
    if (!r)
        r = judge_loops(g);
    if (!r && g->judgements.n == before)
        r = c.numbered ? mh_judge_none(g, MH_VERDICT_unclear,
                                       "connections were used again after a timeout, in a protocol "
                                       "that may tell late answers apart",
                                       NULL)
                       : mh_judge_none(g, MH_VERDICT_not_exercised,
                                       "no request was given up by a wait with a limit",
                                       "[fault x] call = recv, side = client, hang = yes");
    mh_tallies_done(&c.tallies);
    return r;
}
