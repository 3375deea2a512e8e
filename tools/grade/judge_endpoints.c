/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about where else a request could go: MH-0201 a second endpoint is known and never tried,
 * MH-0202 there is none. Two peers are endpoints of one thing when one place in the code of one
 * process asks either of them the same, one at a time, and both answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

enum { SAME_QUESTIONS = 2, LEAST_UNITS = 3 };

/* Two peers that answered the same at one site. */
struct pair {
    uint32_t site, a, b; /* peers, a < b */
    unsigned same;
    bool both; /* in one unit: a list is walked, and each has its own answer */
};

struct endpoints {
    MH_VEC(struct pair) pairs;
    struct mh_map keys, asked, in_unit;
};

/* What was asked: the method and path; of other protocols the bytes. 0: not to be told. */
static uint64_t question_of(const struct mh_grading *g, const struct mh_act *a)
{
    const char *text = mh_model_text(g->m, a->attempt.text);

    return strchr(text, '/') ? mh_mix2(a->attempt.text, 1) : a->attempt.digest;
}

static struct pair *pair_of(struct endpoints *e, uint32_t site, uint32_t a, uint32_t b)
{
    uint64_t key = mh_mix2(site, mh_mix2(MH_MIN(a, b), MH_MAX(a, b)));
    uint32_t have = mh_map_get(&e->keys, key);
    struct pair *p;

    if (have != MH_MAP_NONE)
        return &e->pairs.v[have];
    p = mh_vec_add(&e->pairs);
    if (!p || mh_map_set(&e->keys, key, (uint32_t)e->pairs.n - 1))
        return NULL;
    p->site = site;
    p->a = MH_MIN(a, b);
    p->b = MH_MAX(a, b);
    return p;
}

/* Remembers who answered this question last; *ret_other: who did before, if it was another. */
static int answered(struct mh_map *map, uint64_t key, uint32_t peer, uint32_t *ret_other)
{
    uint32_t last = mh_map_get(map, key);

    *ret_other = last == MH_MAP_NONE || last == peer ? 0 : last;
    return mh_map_set(map, key, peer);
}

static int take(const struct mh_grading *g, struct endpoints *e, const struct mh_act *a)
{
    uint64_t question = a->kind == MH_ACT_attempt ? question_of(g, a) : 0;
    uint64_t key = mh_mix2(a->site, question);
    uint32_t other;
    struct pair *p;

    if (!question || !a->answered || a->failed || !a->peer || !a->site)
        return 0;
    /* Within one process: services of one program each have a peer of their own. */
    if (answered(&e->asked, mh_mix2(key, a->process), a->peer, &other))
        return -ENOMEM;
    if (other && g->m->peers.v[other - 1].role == g->m->peers.v[a->peer - 1].role) {
        p = pair_of(e, a->site, other, a->peer);
        if (!p)
            return -ENOMEM;
        p->same++;
    }
    if (!a->unit || a->ambiguous)
        return 0;
    if (answered(&e->in_unit, mh_mix2(a->unit, key), a->peer, &other))
        return -ENOMEM;
    p = other ? pair_of(e, a->site, other, a->peer) : NULL;
    if (p)
        p->both = true;
    return other && !p ? -ENOMEM : 0;
}

static int endpoints_find(const struct mh_grading *g, struct endpoints *ret)
{
    int r = 0;

    for (size_t i = 0; i < g->m->acts.n && !r; i++)
        r = take(g, ret, &g->m->acts.v[i]);
    return r;
}

static void endpoints_done(struct endpoints *e)
{
    free(e->pairs.v);
    mh_map_done(&e->keys);
    mh_map_done(&e->asked);
    mh_map_done(&e->in_unit);
}

/* Is `b` another endpoint of what the site asks of `a`? Site 0: of any site. */
static bool is_other(const struct endpoints *e, uint32_t site, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < e->pairs.n; i++) {
        const struct pair *p = &e->pairs.v[i];

        if ((!site || p->site == site) && !p->both && p->same >= SAME_QUESTIONS &&
            ((p->a == a && (!b || p->b == b)) || (p->b == a && (!b || p->a == b))))
            return true;
    }
    return false;
}

int mh_has_endpoints(const struct mh_grading *g, bool *ret)
{
    struct endpoints e = {.pairs = {.n = 0}};
    int r = endpoints_find(g, &e);

    for (uint32_t i = 1; i <= g->m->peers.n && !*ret; i++)
        *ret = is_other(&e, 0, i, 0);
    endpoints_done(&e);
    return r;
}

/* ---- MH-0201 ---- */

/* Did the unit turn to another endpoint after the failure? */
static bool turned(const struct mh_grading *g, const struct endpoints *e, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    int64_t from = g->m->acts.v[g->m->ops.v[t->op].act].at;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->at >= from && a->peer != t->peer &&
            is_other(e, t->site, t->peer, a->peer))
            return true;
    }
    return false;
}

/* Attempts of a site at one endpoint and at its others. */
struct split {
    unsigned own, others;
};

static bool in_span(const struct mh_grading *g, const struct mh_act *a, const struct mh_window *w)
{
    return w ? a->at >= w->from && a->at <= w->to : mh_grading_unit(g, a->unit)->calm;
}

/* Within the window, or in calm times; the first `skip` of them are left out. */
static struct split split_of(const struct mh_grading *g, const struct endpoints *e,
                             const struct mh_tally *t, const struct mh_window *w, unsigned skip)
{
    struct split s = {0};

    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        bool own = a->peer == t->peer;

        if (a->kind != MH_ACT_attempt || a->site != t->site || !a->unit || !in_span(g, a, w) ||
            (!own && !is_other(e, t->site, t->peer, a->peer)))
            continue;
        if (skip) {
            skip--;
            continue;
        }
        s.own += own;
        s.others += !own;
    }
    return s;
}

/* Units that failed do not tell of those that no longer asked: did the site leave the endpoint? */
static bool left_it(const struct mh_grading *g, const struct endpoints *e, const struct mh_tally *t)
{
    struct split calm = split_of(g, e, t, NULL, 0), all, late;
    struct mh_window w;

    if (!mh_windows_of(g, t->peer, &w, 1))
        return false;
    all = split_of(g, e, t, &w, 0);
    late = split_of(g, e, t, &w, (all.own + all.others) / 2);
    return calm.own && late.others >= LEAST_UNITS &&
           2.0 * late.own / (late.own + late.others) < (double)calm.own / (calm.own + calm.others);
}

static int file_0201(struct mh_grading *g, const struct endpoints *e, const struct mh_tally *t)
{
    bool left = t->failed && left_it(g, e, t), harm = 2 * t->worst >= t->failed;
    enum mh_verdict_kind verdict = left ? MH_VERDICT_pass : mh_tally_verdict(t);
    struct mh_judgement *j =
        mh_judge_file(g, verdict, t->site, t->peer, harm ? MH_SEVERITY_high : MH_SEVERITY_medium,
                      MH_MIN(mh_tally_confidence(t), MH_CONFIDENCE_medium));
    const char *peer = mh_name_peer(g, t->peer);

    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = left ? 0 : t->failed;
    j->observed = t->real > 0;
    j->trial = t->example ? t->example : t->passed;
    if (verdict == MH_VERDICT_pass) {
        if (left)
            mh_reason(j, "while %s was down, most requests went to another endpoint", peer);
        else
            mh_reason(j, "%u of %u that failed at %s turned to another endpoint",
                      t->fired - t->failed, t->fired, peer);
        return 0;
    }
    mh_sentence(j->evidence,
                "%u of %u units of work that failed at %s did not try another endpoint, although "
                "the same place asks another one the same in calm times, and is answered",
                t->failed, t->fired, peer);
    mh_sentence(j->evidence, "%lld of them failed; %s, for one", (long long)t->worst,
                mh_name_route(g, g->trials.v[j->trial - 1].unit));
    return 0;
}

static int tally_0201(struct mh_grading *g, const struct endpoints *e, struct mh_tallies *tallies)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        bool well;
        struct mh_tally *y;

        if (!t->peer || !t->error || t->one_shot || t->ambiguous ||
            (t->outcome == MH_OUTCOME_unknown && !t->walked) || !is_other(e, t->site, t->peer, 0))
            continue;
        well = turned(g, e, t);
        y = mh_tally_trial(g, tallies, i, well);
        if (!y)
            return -ENOMEM;
        y->worst += !well && mh_unit_failed(mh_grading_unit(g, t->unit));
    }
    return 0;
}

/* ---- MH-0202 ---- */

/* A peer that may be missed by its nature is another rule's. */
static bool may_be_missed(const struct mh_grading *g, uint32_t peer)
{
    enum mh_role role = g->m->peers.v[peer - 1].role;

    return role == MH_ROLE_cache || role == MH_ROLE_telemetry;
}

static int tally_0202(struct mh_grading *g, const struct endpoints *e, struct mh_tallies *tallies)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        struct mh_tally *y;

        if (!t->peer || !t->error || t->one_shot || t->outcome == MH_OUTCOME_unknown ||
            may_be_missed(g, t->peer) || is_other(e, 0, t->peer, 0))
            continue;
        y = mh_tally_of(tallies, 0, t->peer);
        if (!y)
            return -ENOMEM;
        y->fired++;
        y->real += !t->fault;
        if (t->outcome >= MH_OUTCOME_refused && t->outcome != MH_OUTCOME_silent) {
            y->failed++;
            y->example = i + 1;
        } else
            y->passed = i + 1;
    }
    return 0;
}

static int file_0202(struct mh_grading *g, const struct endpoints *e, const struct mh_tally *t)
{
    bool all = t->failed == t->fired;
    struct mh_judgement *j =
        mh_judge_file(g, all ? MH_VERDICT_fail : MH_VERDICT_pass, 0, t->peer, MH_SEVERITY_medium,
                      all ? MH_CONFIDENCE_low : mh_tally_confidence(t));
    const char *peer = mh_name_peer(g, t->peer);

    if (!j)
        return -ENOMEM;
    j->fired = t->fired;
    j->failed = all ? t->failed : 0;
    j->observed = t->real > 0;
    j->trial = all ? t->example : t->passed;
    if (!all) {
        mh_reason(j, "%u of %u units of work got on without %s", t->fired - t->failed, t->fired,
                  peer);
        return 0;
    }
    mh_sentence(j->evidence,
                "all %u units of work that met a failure of %s failed or said no, and no other "
                "endpoint of it was ever asked",
                t->fired, peer);
    mh_sentence(j->counter,
                "one name or address may stand for many: a balancer, a virtual address, "
                "a service of a cluster cannot be seen through from here");
    return 0;
}

/* ---- both ---- */

typedef int take_trials(struct mh_grading *g, const struct endpoints *e,
                        struct mh_tallies *tallies);
typedef int file_place(struct mh_grading *g, const struct endpoints *e, const struct mh_tally *t);

static int judge(struct mh_grading *g, take_trials *trials, file_place *place, const char *none,
                 const char *how)
{
    struct endpoints e = {.pairs = {.n = 0}};
    struct mh_tallies tallies = {0};
    size_t before = g->judgements.n;
    int r = endpoints_find(g, &e);

    if (!r)
        r = trials(g, &e, &tallies);
    for (size_t i = 0; i < tallies.list.n && !r; i++)
        if (tallies.list.v[i].fired >= LEAST_UNITS)
            r = place(g, &e, &tallies.list.v[i]);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, none, how);
    mh_tallies_done(&tallies);
    endpoints_done(&e);
    return r;
}

int mh_judge_0201(struct mh_grading *g)
{
    return judge(g, tally_0201, file_0201,
                 "of endpoints that stand for each other none was down for three units of work or "
                 "more",
                 "[fault x] call = connect, peer = ONE OF THEM, error = ECONNREFUSED");
}

int mh_judge_0202(struct mh_grading *g)
{
    return judge(g, tally_0202, file_0202,
                 "no peer that has one endpoint was down for three units of work or more",
                 "[fault x] call = connect, error = ECONNREFUSED");
}
