/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0204: a pool that keeps dead connections. When the peer was restarted, each kept connection
 * may cost one request at most; what counts is what failed on them, or for want of them, while a
 * new connection would have worked. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { FEW_FAILURES = 3, MOST_WINDOWS = 32, MOST_DEATHS = 256, MEDIUM = 3, HIGH = 10 };
static const int64_t second = 1000000000;

/* One kept connection, and with it maybe others, turned out to be dead; until the process has a new
 * one that works. */
struct death {
    const struct mh_act *first; /* attempt */
    int64_t until;              /* INT64_MAX: it never had */
    bool injected;
    unsigned connections; /* that it had then */
    unsigned failed; /* requests that began later and failed, while a new one would have worked */
    unsigned unsure; /* ... of which that is not known */
    unsigned silent; /* of the failed: without any call */
    unsigned tries;  /* attempts of the process that failed since */
    bool refused;    /* ... on new connections, too */
};

/* A new connection that somebody made, or could not make. */
struct fresh {
    int64_t at, ended;
    bool well;
};

struct place {
    struct mh_grading *g;
    const struct mh_need *needs; /* of the peer */
    uint32_t process, peer;
    struct mh_window windows[MOST_WINDOWS];
    unsigned nwindows;
    MH_VEC(struct fresh) fresh;
};

static bool is_end(int err)
{
    return !err || err == ECONNRESET || err == EPIPE || err == ECONNABORTED || err == ENOTCONN;
}

static bool is_death(const struct mh_act *a)
{
    return a->kind == MH_ACT_attempt && a->pooled && a->failed && is_end(a->attempt.err);
}

static bool is_fresh(const struct mh_act *a, bool well)
{
    return a->kind == MH_ACT_attempt && !a->pooled &&
           (well ? a->answered && !a->failed : a->failed);
}

/* The connections to the peer that the process had kept then. */
static unsigned kept(const struct place *p, int64_t at)
{
    const struct mh_model *m = p->g->m;
    unsigned n = 0;

    for (size_t i = 0; i < m->conns.n; i++) {
        const struct mh_conn *c = &m->conns.v[i];

        n += c->process == p->process && c->peer == p->peer && c->exchanges && c->opened_at &&
             c->opened_at < at && (!c->closed_at || c->closed_at >= at);
    }
    return MH_MAX(n, 1u);
}

static bool in_force(const struct place *p, int64_t at)
{
    for (unsigned i = 0; i < p->nwindows; i++)
        if (at >= p->windows[i].from && at < p->windows[i].to)
            return true;
    return false;
}

/* Would a new connection have worked? Somebody made one since, or what took the old ones was a
 * fault that is over; and none was refused just now. */
static bool is_back(const struct place *p, const struct death *d, int64_t at)
{
    bool back = d->injected && !in_force(p, at);

    for (size_t i = 0; i < p->fresh.n; i++) {
        const struct fresh *f = &p->fresh.v[i];

        if (!f->well && f->at >= at - second && f->at <= at)
            return false;
        back |= f->well && f->at >= d->first->at && f->ended <= at;
    }
    return back;
}

/* What a failed request did at the peer. */
enum asked { NOTHING, DEAD, OTHERWISE };

static enum asked asked(const struct place *p, const struct mh_unit *u)
{
    enum asked ret = NOTHING;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &p->g->m->acts.v[p->g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->peer == p->peer) {
            if (!is_death(a) || a->ambiguous)
                return OTHERWISE;
            ret = DEAD;
        } else if (a->kind == MH_ACT_op && p->g->m->ops.v[a->op].err && a->peer != p->peer) {
            return OTHERWISE; /* something else failed in it */
        }
    }
    return ret;
}

/* Does nearly every request of this route ask the peer? */
static bool needs(const struct place *p, const struct mh_unit *u)
{
    const struct mh_need *n = &p->needs[u->route];

    return n->units >= 3 && 10 * n->asking >= 9 * n->units;
}

static void count_failed(const struct place *p, struct death *d)
{
    const struct mh_process *process = &p->g->m->processes.v[p->process];

    for (size_t i = process->first_unit; i < process->first_unit + process->nunits; i++) {
        const struct mh_unit *u = &p->g->m->units.v[i];
        enum asked how;

        if (u->kind == MH_UNIT_command || u->open || !mh_unit_failed(u) ||
            u->begun <= d->first->attempt.ended || u->begun >= d->until)
            continue;
        how = asked(p, u);
        if (how == OTHERWISE || (how == NOTHING && !needs(p, u)))
            continue;
        /* many failures, and then no call: a breaker that has opened, or a pause before the next
         * try, looks the same */
        if (!is_back(p, d, u->begun) ||
            (how == NOTHING && (d->refused || d->tries >= FEW_FAILURES))) {
            d->unsure++;
            continue;
        }
        d->failed++;
        d->silent += how == NOTHING;
    }
}

static bool is_injected(const struct mh_grading *g, const struct mh_act *attempt)
{
    uint32_t number = (uint32_t)(attempt - g->m->acts.v) + 1;

    for (size_t i = 0; i < g->m->ops.n; i++)
        if (g->m->ops.v[i].attempt == number && g->m->ops.v[i].fault)
            return true;
    return false;
}

/* From the act at *at on; false: there is none. */
static bool next_death(const struct place *p, size_t *at, struct death *ret)
{
    const struct mh_process *process = &p->g->m->processes.v[p->process];
    size_t end = process->first_act + process->nacts;

    *ret = (struct death){.until = INT64_MAX};
    for (; *at < end; ++*at) {
        const struct mh_act *a = &p->g->m->acts.v[*at];

        if (a->peer != p->peer)
            continue;
        if (!ret->first && is_death(a)) {
            ret->first = a;
            ret->injected = is_injected(p->g, a);
            ret->connections = kept(p, a->at);
        }
        ret->refused |= ret->first && is_fresh(a, false);
        ret->tries += ret->first && a->kind == MH_ACT_attempt && a->failed;
        if (ret->first && is_fresh(a, true) && a->at >= ret->first->at) {
            ret->until = a->at;
            break;
        }
    }
    return ret->first != NULL;
}

struct count {
    struct mh_tallies tallies; /* example: the attempt; worst: the connections that it had */
    unsigned unsure;
};

static int take(struct place *p, struct count *c)
{
    size_t at = p->g->m->processes.v[p->process].first_act;
    struct death d;

    for (unsigned n = 0; n < MOST_DEATHS && next_death(p, &at, &d); n++) {
        struct mh_tally *t;
        bool bad;

        count_failed(p, &d);
        bad = d.failed > d.connections;
        if (!bad && (d.unsure || d.until == INT64_MAX)) {
            c->unsure++;
            continue;
        }
        t = mh_tally_of(&c->tallies, d.first->site, p->peer);
        if (!t)
            return -ENOMEM;
        t->real += !d.injected;
        if (bad && d.failed > t->failed) {
            t->failed = d.failed;
            t->partial = d.silent;
            t->worst = d.connections;
            t->example = (uint32_t)(d.first - p->g->m->acts.v) + 1;
        } else if (!t->example || !t->failed) {
            t->example = (uint32_t)(d.first - p->g->m->acts.v) + 1;
        }
        t->fired++;
        t->unhealthy += bad;
    }
    return 0;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    unsigned n = t->failed ? t->failed : t->fired;
    struct mh_judgement *j = mh_judge_file(g, t->failed ? MH_VERDICT_fail : MH_VERDICT_pass,
                                           t->site, t->peer, MH_SEVERITY_medium,
                                           n >= HIGH     ? MH_CONFIDENCE_high
                                           : n >= MEDIUM ? MH_CONFIDENCE_medium
                                                         : MH_CONFIDENCE_low);
    const struct mh_act *a = &g->m->acts.v[t->example - 1];

    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = t->unhealthy;
    j->observed = t->real > 0;
    j->stack = a->stack;
    if (!t->failed) {
        mh_reason(j,
                  t->fired == 1
                      ? "%u time kept connections to %s were dead, and none of them cost more than "
                        "one request"
                      : "%u times kept connections to %s were dead, and none of them cost more "
                        "than one request",
                  t->fired, mh_name_peer(g, t->peer));
        return 0;
    }
    mh_sentence(j->evidence,
                t->worst == 1
                    ? "%u kept connection to %s was dead, and %u later requests failed for it, "
                      "although a new connection would have worked"
                    : "%u kept connections to %s were dead, and %u later requests failed for it, "
                      "although a new connection would have worked",
                (unsigned)t->worst, mh_name_peer(g, t->peer), t->failed);
    mh_sentence(j->evidence, "%u of them failed on a connection that was dead, %u without any call",
                t->failed - t->partial, t->partial);
    if (t->unhealthy < t->fired)
        mh_sentence(j->counter, "%u of %u times each cost one request at most",
                    t->fired - t->unhealthy, t->fired);
    return 0;
}

static int list_fresh(struct place *p)
{
    for (size_t i = 0; i < p->g->m->acts.n; i++) {
        const struct mh_act *a = &p->g->m->acts.v[i];
        struct fresh *f;

        if (a->peer != p->peer || p->g->m->processes.v[a->process].baseline ||
            (!is_fresh(a, true) && !is_fresh(a, false)))
            continue;
        f = mh_vec_add(&p->fresh);
        if (!f)
            return -ENOMEM;
        *f = (struct fresh){a->at, a->attempt.ended, is_fresh(a, true)};
    }
    return 0;
}

static int take_peer(struct mh_grading *g, uint32_t peer, struct count *c)
{
    struct place p = {.g = g, .peer = peer};
    struct mh_need *needs_of = mh_needs_of(g, peer);
    int r = needs_of ? 0 : -ENOMEM;

    p.needs = needs_of;
    if (!r)
        r = list_fresh(&p);
    p.nwindows = mh_windows_of(g, peer, p.windows, MOST_WINDOWS);
    for (p.process = 0; p.process < g->m->processes.n && !r; p.process++)
        if (!g->m->processes.v[p.process].baseline)
            r = take(&p, c);
    free(needs_of);
    free(p.fresh.v);
    return r;
}

int mh_judge_0204(struct mh_grading *g)
{
    struct count c = {.unsure = 0};
    int r = 0;

    for (uint32_t i = 1; i <= g->m->peers.n && !r; i++)
        r = take_peer(g, i, &c);
    for (size_t i = 0; i < c.tallies.list.n && !r; i++)
        r = file(g, &c.tallies.list.v[i]);
    if (!r && !c.tallies.list.n)
        r = c.unsure
                ? mh_judge_none(
                      g, MH_VERDICT_unclear,
                      "kept connections were dead, and whether later requests failed for "
                      "that is not known: nobody made a new one meanwhile, or none was asked for",
                      NULL)
                : mh_judge_none(g, MH_VERDICT_not_exercised,
                                "no connection that was kept turned out to be dead",
                                "[fault x] call = recv, side = client, reset = yes, for = 1s");
    mh_tallies_done(&c.tallies);
    return r;
}
