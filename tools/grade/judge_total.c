/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0604: the limit of a call holds for each read, and nothing holds for all of them. An answer
 * that drips is then read for as long as it likes to drip. Proved by the waits of one exchange:
 * each ended with data within its limit, and together they took three times as long. */
#include <errno.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;
enum { TIMES = 3, FEW_WAITS = 3, LONGEST_S = 1000000 };

/* One exchange, by the waits of 50 ms or more in it. */
struct drip {
    const struct mh_act *attempt;
    uint32_t unit;
    unsigned waits, shrunk; /* ended with data; asked for less than the wait before */
    bool hit, ran_out;      /* a fault made it slow; a wait ended by its limit */
    bool ambiguous;
    int64_t from, to, limit, last_limit, last_waited;
};

struct reading {
    struct mh_grading *g;
    struct mh_map keys, streams, limits; /* by attempt; by place; by place, in ms */
    MH_VEC(struct drip) drips;
};

static uint64_t place(const struct mh_act *a)
{
    return mh_mix2(a->site, a->peer);
}

static struct drip *drip_of(struct reading *k, uint32_t attempt)
{
    uint32_t have = mh_map_get(&k->keys, attempt);
    struct drip *d;

    if (have != MH_MAP_NONE)
        return &k->drips.v[have];
    d = mh_vec_add(&k->drips);
    if (!d || mh_map_set(&k->keys, attempt, (uint32_t)k->drips.n - 1))
        return NULL;
    d->attempt = &k->g->m->acts.v[attempt - 1];
    return d;
}

static void take_wait(struct drip *d, const struct mh_act *a)
{
    int64_t end = a->at + a->wait.waited, limit = MH_MIN(a->wait.timeout, LONGEST_S * second);

    d->unit = d->unit ? d->unit : a->unit;
    d->from = d->from ? MH_MIN(d->from, a->at) : a->at;
    d->to = MH_MAX(d->to, end);
    /* what is left of a limit for all: each wait asks for less by what the one before took */
    d->shrunk += d->last_limit && limit <= d->last_limit - d->last_waited / 2;
    d->last_limit = limit;
    d->last_waited = a->wait.waited;
    d->limit = MH_MAX(d->limit, limit);
    d->ambiguous |= a->ambiguous;
    d->waits += a->wait.ready > 0;
    d->ran_out |= a->wait.ready == 0;
}

static int take_waits(struct reading *k)
{
    const struct mh_model *m = k->g->m;

    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];
        struct drip *d;

        if (a->kind != MH_ACT_waited || a->loop || !a->unit || !a->peer || !a->attempt_of ||
            a->wait.timeout <= 0 || mh_is_pace(k->g, a) || m->units.v[a->unit - 1].command)
            continue;
        d = drip_of(k, a->attempt_of);
        if (!d)
            return -ENOMEM;
        take_wait(d, a);
    }
    return 0;
}

static bool slows(const struct mh_op_seen *o)
{
    return o->fault && o->kind == MH_OP_recv &&
           (o->effect - 1 == MH_EFFECT_rate || o->effect - 1 == MH_EFFECT_delay ||
            o->effect - 1 == MH_EFFECT_short);
}

static int take_hits(struct reading *k)
{
    const struct mh_model *m = k->g->m;

    for (size_t i = 0; i < m->ops.n; i++) {
        const struct mh_op_seen *o = &m->ops.v[i];
        struct drip *d = NULL;

        if (!o->attempt || !slows(o))
            continue;
        if (mh_map_get(&k->keys, o->attempt) != MH_MAP_NONE)
            d = drip_of(k, o->attempt);
        if (d)
            d->hit = true;
    }
    return 0;
}

/* Places that read for longer than one limit when no fault hit: a stream, for which a limit of each
 * read is the right one. */
static int find_streams(struct reading *k)
{
    for (size_t i = 0; i < k->drips.n; i++) {
        const struct drip *d = &k->drips.v[i];

        if (!d->hit && d->waits >= 2 && d->to - d->from > d->limit &&
            mh_map_set(&k->streams, place(d->attempt), 1))
            return -ENOMEM;
    }
    return 0;
}

static bool is_refused(const struct mh_unit *u)
{
    return !u->open && (u->status >= 500 || u->status == 429);
}

/* 1: something ended it before the answer was whole, 0: nothing did, MH_NOT_MINE: cannot be told.
 */
static double value(const struct mh_grading *g, const struct drip *d)
{
    const struct mh_unit *u = mh_grading_unit(g, d->unit);
    int64_t span = MH_MIN(d->to, u->ended) - d->from;
    /* whose it is must be known: an open request's calls may look like those of one that ended */
    bool left = !d->ambiguous && !u->open && u->how != 1 && d->to > u->ended + 50 * ms;
    bool over = !u->open && u->how != 1 && !d->ran_out && is_refused(u);

    if (d->waits < 2)
        return MH_NOT_MINE;
    if (2 * d->shrunk + 1 >= d->waits && d->shrunk)
        return 1;
    if (left || over)
        return span >= d->limit ? 1 : MH_NOT_MINE;
    return d->waits >= FEW_WAITS && span > TIMES * d->limit ? 0 : MH_NOT_MINE;
}

static struct mh_tally *count(const struct mh_grading *g, struct mh_tallies *tallies,
                              const struct mh_act *a, double worth, int64_t span, int64_t limit)
{
    struct mh_tally *t = mh_tally_of(tallies, a->site, a->peer);

    if (!t)
        return NULL;
    t->fired++;
    t->failed += worth < 0.5;
    t->ambiguous += a->ambiguous;
    if (worth < 0.5 && span > t->worst) {
        t->worst = span;
        t->polite = (unsigned)(limit / ms);            /* ms, here */
        t->example = (uint32_t)(a - g->m->acts.v) + 1; /* an act, here */
    }
    return t;
}

/* Of an event loop the limit of a read is not seen, but a hang at the same place shows when it
 * gives up. */
static int find_limits(struct reading *k)
{
    const struct mh_grading *g = k->g;

    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        const struct mh_op_seen *o = &g->m->ops.v[t->op];
        const struct mh_act *attempt = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;
        int64_t took = attempt ? attempt->attempt.ended - g->m->acts.v[o->act].at : 0;

        if (!mh_effect_silent(t->effect) || !t->timed_out || took < 10 * ms)
            continue;
        if (mh_map_set(&k->limits, place(attempt), (uint32_t)MH_MIN(took / ms, 1000000)))
            return -ENOMEM;
    }
    return 0;
}

static int take_loops(struct reading *k, struct mh_tallies *tallies, struct mh_tally *unseen)
{
    const struct mh_grading *g = k->g;
    struct mh_map seen = {0};
    int r = 0;

    for (size_t i = 0; i < g->m->ops.n && !r; i++) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;
        uint32_t known = a ? mh_map_get(&k->limits, place(a)) : MH_MAP_NONE;
        const struct mh_unit *u = a && a->unit ? mh_grading_unit(g, a->unit) : NULL;
        int64_t span, limit = known == MH_MAP_NONE ? 0 : known * ms;

        if (!u || u->command || !slows(o) || o->effect - 1 != MH_EFFECT_rate ||
            mh_map_get(&k->keys, o->attempt) != MH_MAP_NONE ||
            mh_map_get(&seen, o->attempt) != MH_MAP_NONE)
            continue;
        r = mh_map_set(&seen, o->attempt, 1);
        span = u->ended - g->m->acts.v[o->act].at;
        if (!r && !limit && span >= second) {
            unseen->site = a->site;
            unseen->peer = a->peer;
            unseen->fired++;
            unseen->worst = MH_MAX(unseen->worst, span);
        }
        if (r || !limit || (!is_refused(u) && span <= TIMES * limit) || span * 10 < limit * 12)
            continue;
        r = count(g, tallies, a, is_refused(u) && u->how != 1, span, limit) ? 0 : -ENOMEM;
    }
    mh_map_done(&seen);
    return r;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_medium);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j, "%u of %u answers of %s that dripped were given up as a whole",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer));
        return 0;
    }
    mh_sentence(j->evidence,
                "%u of %u answers of %s that dripped were read on and on: each read ended within "
                "its limit of %s, and all of them took %s",
                t->failed, t->fired, mh_name_peer(g, t->peer), MH_SPAN(t->polite * ms),
                MH_SPAN(t->worst));
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u were given up", t->fired - t->failed, t->fired);
    return 0;
}

static int file_other(struct reading *k, const struct mh_tally *unseen, bool streams)
{
    struct mh_judgement *j;

    if (!unseen->fired)
        return mh_judge_none(k->g, streams ? MH_VERDICT_unclear : MH_VERDICT_not_exercised,
                             streams ? "answers dripped only where they are read for longer than "
                                       "one limit in calm times, too: a stream by design"
                                     : "no answer dripped for three times the limit of a read",
                             "[fault x] call = net.recv, side = client, rate = 4KiB/s");
    j = mh_judge_file(k->g, MH_VERDICT_unclear, unseen->site, unseen->peer, MH_SEVERITY_medium,
                      MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    mh_reason(j,
              "an answer of %s dripped for %s; the limit of each read is an event loop's own, and "
              "no hang at the same place showed it",
              mh_name_peer(k->g, unseen->peer), MH_SPAN(unseen->worst));
    return 0;
}

int mh_judge_0604(struct mh_grading *g)
{
    struct reading k = {.g = g};
    struct mh_tallies tallies = {0};
    struct mh_tally unseen = {0};
    bool streams = false;
    int r = take_waits(&k);

    if (!r)
        r = take_hits(&k);
    if (!r)
        r = find_streams(&k);
    if (!r)
        r = find_limits(&k);
    for (size_t i = 0; i < k.drips.n && !r; i++) {
        const struct drip *d = &k.drips.v[i];
        double worth = d->hit ? value(g, d) : MH_NOT_MINE;
        bool stream = mh_map_get(&k.streams, place(d->attempt)) != MH_MAP_NONE;

        streams |= d->hit && stream;
        if (worth >= 0 && !stream &&
            !count(g, &tallies, d->attempt, worth, d->to - d->from, d->limit))
            r = -ENOMEM;
    }
    if (!r)
        r = take_loops(&k, &tallies, &unseen);
    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = file(g, &tallies.list.v[i]);
    if (!r && !tallies.list.n)
        r = file_other(&k, &unseen, streams);
    mh_tallies_done(&tallies);
    mh_map_done(&k.keys);
    mh_map_done(&k.streams);
    mh_map_done(&k.limits);
    free(k.drips.v);
    return r;
}
