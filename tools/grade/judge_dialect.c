/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2020: the same failure is told in another way at each place. What a caller sees of it is a
 * status; what the application made of it is an exception that its own code raised. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { FEW = 3, MOST_PLACES = 64 };

/* What one place made of one kind of failure, and how often. */
struct telling {
    uint64_t kind; /* of failure: errno, and connect, exchange, look-up or file */
    uint32_t site, type, trial;
    int status;
    unsigned n;
    bool decided, followed;
};

/* What a place does most of the time. */
struct place {
    const struct telling *most;
    unsigned n;
};

struct telling_list {
    MH_VEC(struct telling) list;
    struct mh_map keys, units; /* unit to the one site that failed in it, or 0: several */
};

static uint64_t kind_of(const struct mh_trial *t)
{
    static const enum mh_op_kind as[MH_OP_COUNT] = {[MH_OP_recv] = MH_OP_send};
    enum mh_op_kind kind = as[t->kind] ? as[t->kind] : t->kind;

    return mh_mix2(t->peer ? kind : MH_OP_write,
                   t->timed_out ? ETIMEDOUT : (uint64_t)(uint32_t)t->err);
}

/* The exception that the application's own code put in the place of the one that came. */
static uint32_t own_type(const struct mh_model *m, const struct mh_trial *t)
{
    const struct mh_op_seen *o = &m->ops.v[t->op];
    uint32_t type = 0;

    for (uint32_t i = 0; i < o->nsteps; i++) {
        const struct mh_step_seen *s = &m->steps.v[o->steps + i];

        if (s->step == MH_STEP_replaced && s->frame.kind == MH_FRAME_app)
            type = s->type;
    }
    return type;
}

/* A request that failed at one place, and told its caller so. */
static bool counts(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    return t->error && t->expected && !t->ambiguous && u->kind == MH_UNIT_request && t->site &&
           g->m->sites.v[t->site - 1].app && u->status >= 400 &&
           (t->outcome == MH_OUTCOME_refused || t->outcome == MH_OUTCOME_broke);
}

static int note_units(struct mh_grading *g, struct telling_list *l)
{
    int r = 0;

    for (size_t i = 0; i < g->trials.n && !r; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        uint32_t have = mh_map_get(&l->units, t->unit);

        if (t->error && !t->walked)
            r = mh_map_set(&l->units, t->unit,
                           have == MH_MAP_NONE || have == t->site ? t->site : 0);
    }
    return r;
}

static int take(struct mh_grading *g, struct telling_list *l, uint32_t trial)
{
    const struct mh_trial *t = &g->trials.v[trial];
    int status = mh_grading_unit(g, t->unit)->status;
    uint32_t type = own_type(g->m, t), have;
    uint64_t kind = kind_of(t);
    uint64_t key = mh_mix2(mh_mix2(kind, t->site), mh_mix2(type, (uint64_t)status));
    struct telling *s;

    have = mh_map_get(&l->keys, key);
    if (have == MH_MAP_NONE) {
        have = (uint32_t)l->list.n;
        s = mh_vec_add(&l->list);
        if (!s || mh_map_set(&l->keys, key, have))
            return -ENOMEM;
        *s = (struct telling){.kind = kind,
                              .site = t->site,
                              .type = type,
                              .status = status,
                              .trial = trial,
                              .decided = t->outcome == MH_OUTCOME_refused};
    }
    l->list.v[have].n++;
    l->list.v[have].followed |= t->type_born != 0;
    return 0;
}

/* Places that make the same of this kind of failure in two of three cases, `least` times or more.
 */
static unsigned places_of(const struct telling_list *l, uint64_t kind, unsigned least,
                          struct place *ret)
{
    unsigned n = 0, kept = 0;

    for (size_t i = 0; i < l->list.n; i++) {
        const struct telling *s = &l->list.v[i];
        unsigned k = 0;

        if (s->kind != kind)
            continue;
        while (k < n && ret[k].most->site != s->site)
            k++;
        if (k == MOST_PLACES)
            continue;
        if (k == n)
            ret[n++] = (struct place){s, 0};
        if (s->n > ret[k].most->n)
            ret[k].most = s;
        ret[k].n += s->n;
    }
    for (unsigned i = 0; i < n; i++)
        if (ret[i].most->n >= least && 3 * ret[i].most->n >= 2 * ret[i].n)
            ret[kept++] = ret[i];
    return kept;
}

static bool alike(const struct place *a, const struct place *b)
{
    return a->most->type == b->most->type && a->most->status == b->most->status;
}

static enum mh_role role_of(const struct mh_grading *g, const struct place *p)
{
    uint32_t peer = g->trials.v[p->most->trial].peer;

    return peer ? g->m->peers.v[peer - 1].role : MH_ROLE_COUNT;
}

/* Statuses that somebody chose, one for each kind of peer: that may be what the interface says. */
static bool by_role(const struct mh_grading *g, const struct place *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!p[i].most->decided)
            return false;
        for (unsigned k = 0; k < i; k++)
            if (role_of(g, &p[i]) == role_of(g, &p[k]) && !alike(&p[i], &p[k]))
                return false;
    }
    return true;
}

/* What is said of one kind of failure. */
struct finding {
    enum mh_verdict_kind verdict; /* not exercised: too few places */
    enum mh_confidence confidence;
    unsigned n, tellings, statuses;
    bool unfollowed;
    struct place places[MOST_PLACES];
};

static void look(const struct mh_grading *g, const struct telling_list *l, uint64_t kind,
                 unsigned least, struct finding *f)
{
    f->n = places_of(l, kind, least, f->places);
    f->tellings = f->statuses = 0;
    f->unfollowed = true;
    for (unsigned i = 0; i < f->n; i++) {
        bool told = false, status = false;

        for (unsigned k = 0; k < i; k++) {
            told |= alike(&f->places[i], &f->places[k]);
            status |= f->places[i].most->status == f->places[k].most->status;
        }
        f->tellings += !told;
        f->statuses += !status;
        f->unfollowed &= !f->places[i].most->followed;
    }
    if (f->n < FEW)
        f->verdict = MH_VERDICT_not_exercised;
    else if (f->statuses < 2)
        f->verdict = MH_VERDICT_pass;
    else if (f->tellings < FEW)
        f->verdict = f->unfollowed ? MH_VERDICT_unclear : MH_VERDICT_pass;
    else
        f->verdict = by_role(g, f->places, f->n) ? MH_VERDICT_unclear : MH_VERDICT_fail;
}

/* The surest that can be said: of places that were seen ten times, three times, or once. */
static void look_closely(const struct mh_grading *g, const struct telling_list *l, uint64_t kind,
                         struct finding *ret)
{
    static const struct {
        unsigned least;
        enum mh_confidence confidence;
    } steps[] = {{10, MH_CONFIDENCE_high}, {3, MH_CONFIDENCE_medium}, {1, MH_CONFIDENCE_low}};
    struct finding f;

    ret->verdict = MH_VERDICT_not_exercised;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        bool first;

        look(g, l, kind, steps[i].least, &f);
        f.confidence = steps[i].confidence;
        first = ret->verdict == MH_VERDICT_not_exercised;
        if (f.verdict != MH_VERDICT_not_exercised &&
            (first || (f.verdict == MH_VERDICT_fail && f.confidence > MH_CONFIDENCE_low)))
            *ret = f;
        if (ret->verdict == MH_VERDICT_fail)
            return;
    }
}

static void say_telling(const struct mh_grading *g, struct mh_judgement *j, const struct finding *f,
                        const struct telling *what)
{
    char names[300] = "";
    size_t used = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++) {
        const struct telling *s = f->places[i].most;
        if (s->type != what->type || s->status != what->status)
            continue;
        n += s->n;
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                                     mh_name_site(g, s->site));
    }
    mh_sentence(j->evidence, "%s%s%d in %s (%u requests)", mh_model_text(g->m, what->type),
                what->type ? ", " : "", what->status, names, n);
}

static int file(struct mh_grading *g, const struct finding *f)
{
    const struct place *odd = &f->places[0];
    const struct mh_trial *t;
    struct mh_judgement *j;
    const char *err;

    for (unsigned i = 1; i < f->n; i++) /* where nobody decided anything, else any that is stable */
        if (odd->most->decided != f->places[i].most->decided
                ? odd->most->decided
                : g->m->sites.v[f->places[i].most->site - 1].key <
                      g->m->sites.v[odd->most->site - 1].key)
            odd = &f->places[i];
    t = &g->trials.v[odd->most->trial];
    j = mh_judge_file(g, f->verdict, odd->most->site, 0, MH_SEVERITY_low, f->confidence);
    if (!j)
        return -ENOMEM;
    j->trial = odd->most->trial + 1;
    j->fired = f->n;
    j->failed = f->verdict == MH_VERDICT_fail ? f->n : 0;
    j->observed = !t->fault;
    err = t->timed_out ? "a timeout" : mh_name_err(t->kind, t->err);
    if (f->verdict == MH_VERDICT_pass)
        mh_reason(j, "%s was told in %u %s at %u places", err ? err : "an early end", f->tellings,
                  f->tellings == 1 ? "way" : "ways", f->n);
    else if (f->verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  f->unfollowed ? "%s was told with %u statuses at %u places, and which "
                                  "exceptions led there could not be followed"
                                : "%s was told with %u statuses at %u places, but with one for "
                                  "each kind of peer: that may be meant",
                  err ? err : "an early end", f->statuses, f->n);
    if (f->verdict != MH_VERDICT_fail)
        return 0;
    mh_sentence(j->evidence, "%s in %s was told in %u ways at %u places",
                err ? err : "an early end", mh_op_rows[t->kind].name, f->tellings, f->n);
    for (unsigned i = 0; i < f->n; i++) {
        bool said = false;

        for (unsigned k = 0; k < i; k++)
            said |= alike(&f->places[i], &f->places[k]);
        if (!said)
            say_telling(g, j, f, f->places[i].most);
    }
    return 0;
}

/* The kind of failure that is told worst stands for the application. */
static int judge(struct mh_grading *g, const struct telling_list *l)
{
    static const int rank[] = {[MH_VERDICT_pass] = 1,
                               [MH_VERDICT_fail] = 3,
                               [MH_VERDICT_not_exercised] = 0,
                               [MH_VERDICT_unclear] = 2};
    struct finding *f = calloc(2, sizeof(*f)), *worst = f + 1;
    int r;

    if (!f)
        return -ENOMEM;
    worst->verdict = MH_VERDICT_not_exercised;
    for (size_t i = 0; i < l->list.n; i++) {
        look_closely(g, l, l->list.v[i].kind, f);
        if (rank[f->verdict] > rank[worst->verdict] ||
            (f->verdict == worst->verdict && f->confidence > worst->confidence))
            *worst = *f;
    }
    r = worst->verdict != MH_VERDICT_not_exercised
            ? file(g, worst)
            : mh_judge_none(g, MH_VERDICT_not_exercised,
                            "no kind of failure was answered with an error at three places", NULL);
    free(f);
    return r;
}

int mh_judge_2020(struct mh_grading *g)
{
    struct telling_list l = {.list = {0}};
    int r = note_units(g, &l);

    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (counts(g, t) && mh_map_get(&l.units, t->unit) == t->site)
            r = take(g, &l, i);
    }
    if (!r)
        r = judge(g, &l);
    free(l.list.v);
    mh_map_done(&l.keys);
    mh_map_done(&l.units);
    return r;
}
