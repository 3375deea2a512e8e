/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0401: a peer that is optional by its nature takes the request with it. A cache is known by
 * what is written to it: keys with a time to live. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

int mh_redis_by_site(struct mh_grading *g)
{
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        uint64_t key = mh_mix2(a->site, a->peer);
        uint32_t have;

        if (a->kind != MH_ACT_attempt || !a->peer ||
            !mh_redis_use_of(mh_model_text(g->m, a->attempt.text)))
            continue;
        have = mh_map_get(&g->redis_keys, key);
        if (have == MH_MAP_NONE) {
            have = (uint32_t)g->redis.n;
            if (!mh_vec_add(&g->redis) || mh_map_set(&g->redis_keys, key, have))
                return -ENOMEM;
        }
        mh_redis_count(&g->redis.v[have], mh_model_text(g->m, a->attempt.text));
    }
    return 0;
}

/* May the peer be missed? `certain` when what was seen proves it, not only a name or a port. */
enum optional { NEEDED, MAYBE, OPTIONAL };

static enum optional optional_of(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    const struct mh_peer_seen *p = &g->m->peers.v[peer - 1];
    enum mh_redis_kind kind = mh_redis_kind_of(&p->redis);
    uint32_t have;

    if (p->role == MH_ROLE_telemetry || (p->role == MH_ROLE_cache && p->role_given))
        return OPTIONAL;
    if (p->role_given)
        return NEEDED;
    if (kind == MH_REDIS_mixed) {
        /* cache and store in one server: each site is what it writes */
        have = mh_map_get(&g->redis_keys, mh_mix2(site, peer));
        kind = have == MH_MAP_NONE ? MH_REDIS_store : mh_redis_kind_of(&g->redis.v[have]);
        return kind == MH_REDIS_cache ? OPTIONAL : NEEDED;
    }
    if (kind == MH_REDIS_cache)
        return OPTIONAL;
    return kind == MH_REDIS_store || p->role != MH_ROLE_cache ? NEEDED : MAYBE;
}

bool mh_has_optional(const struct mh_grading *g)
{
    for (uint32_t peer = 1; peer <= g->m->peers.n; peer++) {
        const struct mh_peer_seen *p = &g->m->peers.v[peer - 1];

        if ((p->calls || p->faults || p->failures) && optional_of(g, 0, peer) != NEEDED)
            return true;
    }
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_attempt && a->peer && optional_of(g, a->site, a->peer) != NEEDED)
            return true;
    }
    return false;
}

/* ---- MH-0401 ---- */

static double value_0401(struct mh_grading *g, const struct mh_trial *t)
{
    if (!t->peer || optional_of(g, t->site, t->peer) == NEEDED ||
        t->outcome == MH_OUTCOME_unknown ||
        g->m->routes.v[mh_grading_unit(g, t->unit)->route - 1].health)
        return MH_NOT_MINE;
    switch (t->outcome) {
    case MH_OUTCOME_refused:
        return 0.5;
    case MH_OUTCOME_broke:
    case MH_OUTCOME_hung:
    case MH_OUTCOME_collapsed:
        return 0;
    default:
        return 1;
    }
}

static bool says_cache(const char *text)
{
    return strcasestr(text, "cache") != NULL;
}

/* The site looks in this peer first and asks somebody else only at times: a cache by behaviour. */
static bool reads_aside(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    unsigned hits = 0, misses = 0;

    for (size_t i = 0; i < g->m->units.n && !(hits && misses); i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        bool used = false, other = false;

        if (!u->calm || u->command)
            continue;
        for (uint32_t k = 0; k < u->nacts; k++) {
            const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + k]];

            if (a->kind != MH_ACT_attempt)
                continue;
            used |= a->site == site && a->peer == peer;
            other |= used && a->peer != peer;
        }
        hits += used && !other;
        misses += used && other;
    }
    return hits && misses;
}

/* Without a look at what is written, names and habits must say it: the port of redis alone may as
 * well be that of a store. */
static bool is_optional(const struct mh_grading *g, const struct mh_tally *t)
{
    const struct mh_peer_seen *p = &g->m->peers.v[t->peer - 1];
    const struct mh_site *s = t->site ? &g->m->sites.v[t->site - 1] : NULL;

    if (optional_of(g, t->site, t->peer) == OPTIONAL || p->port == 11211 ||
        says_cache(mh_model_text(g->m, p->name)))
        return true;
    for (unsigned i = 0; s && s->app && i < s->nframes; i++) {
        const char *file = mh_model_text(g->m, s->frames[i].file), *slash = strrchr(file, '/');

        if (says_cache(mh_model_text(g->m, s->frames[i].function)) ||
            says_cache(slash ? slash : file))
            return true;
    }
    return reads_aside(g, t->site, t->peer);
}

static void say_leases(const struct mh_grading *g, struct mh_judgement *j)
{
    const struct mh_redis_seen *r = &g->m->peers.v[j->peer - 1].redis;
    uint32_t have = mh_map_get(&g->redis_keys, mh_mix2(j->site, j->peer));

    if (have != MH_MAP_NONE && mh_redis_kind_of(r) == MH_REDIS_mixed)
        r = &g->redis.v[have];
    if (r->leased + r->expired)
        mh_sentence(j->evidence,
                    "%llu keys were written with a time to live, %llu without: a cache",
                    (unsigned long long)(r->leased + r->expired),
                    (unsigned long long)(r->kept - MH_MIN(r->kept, r->expired)));
}

static int file_0401(struct mh_grading *g, const struct mh_tally *t)
{
    bool evident = is_optional(g, t);
    enum mh_confidence confidence = mh_tally_confidence(t);
    enum mh_verdict_kind verdict = mh_tally_verdict(t);
    struct mh_judgement *j;

    if (!evident && t->failed + t->partial)
        verdict = MH_VERDICT_unclear;
    j = mh_judge_file(g, verdict, t->site, t->peer, MH_SEVERITY_high,
                      evident ? confidence : MH_CONFIDENCE_low);
    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = t->failed + t->partial;
    j->observed = t->real > 0;
    j->trial = t->example ? t->example : t->passed;
    if (verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%u of %u requests failed with %s, which may be a store of its own here and no "
                  "cache: no key was seen to be written, with a lifetime or without",
                  t->failed + t->partial, t->fired, mh_name_peer(g, t->peer));
    else
        mh_say_trials(g, j, t, "failed, were refused or hung");
    if (verdict != MH_VERDICT_unclear)
        say_leases(g, j);
    return 0;
}

int mh_judge_0401(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0401);

    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = file_0401(g, &tallies.list.v[i]);
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no fault hit a cache or a telemetry peer in a unit of work",
                          "[fault x] peer = :6379, call = net, error = ECONNRESET");
    mh_tallies_done(&tallies);
    return r;
}
