/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2008: fewer bytes moved than were asked for, and the program went on as if all had. What it
 * did next on that descriptor is recorded; a stream's recv() ends anywhere and proves nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

/* Short transfers of one place on one file or connection, in one unit of work. */
struct chain {
    uint32_t op; /* the one that decides */
    bool failed;
};

struct looking {
    struct mh_grading *g;
    MH_VEC(struct chain) chains;
    struct mh_map keys;
    struct mh_tallies tallies;
    unsigned unsure;
};

static const struct mh_act *act_of(const struct mh_grading *g, const struct mh_op_seen *o)
{
    return &g->m->acts.v[o->act];
}

/* Did the unit say so: by its end, or in a log? */
static bool is_told(const struct mh_grading *g, uint32_t op)
{
    const struct mh_op_seen *o = &g->m->ops.v[op];
    const struct mh_act *a = act_of(g, o);
    const struct mh_unit *u = mh_grading_unit(g, a->unit);
    struct mh_trial t = {.unit = a->unit,
                         .site = a->site,
                         .peer = a->peer,
                         .op = op,
                         .kind = o->kind,
                         .error = true};
    int level;

    return mh_unit_failed(u) || u->status >= 400 || mh_trial_logged(g, &t, &level);
}

/* Was the whole thing begun anew: the file opened again, another connection made? In the run of a
 * command, which goes on to other files, only this very file counts. */
static bool is_anew(const struct mh_grading *g, const struct mh_op_seen *o)
{
    const struct mh_act *a = act_of(g, o);
    const struct mh_unit *u = mh_grading_unit(g, a->unit);

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *b = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (b->at <= a->at)
            continue;
        if (o->kind == MH_OP_send && b->kind == MH_ACT_attempt && b->peer == a->peer &&
            b->conn != a->conn)
            return true;
        if (o->kind == MH_OP_write && b->kind == MH_ACT_file &&
            (b->file.path_id == o->path_id || (!u->command && b->site == a->site)))
            return true;
    }
    return false;
}

enum view { WELL, WRONG, UNSURE };

static enum view view_of(const struct mh_grading *g, uint32_t op)
{
    const struct mh_op_seen *o = &g->m->ops.v[op];
    const struct mh_unit *u = mh_grading_unit(g, act_of(g, o)->unit);

    if (o->rest.how == MH_REST_moved)
        return WELL;
    if (o->kind == MH_OP_read && !o->rest.whole)
        return UNSURE; /* it may have had what it wanted */
    if (o->kind == MH_OP_send && o->rest.how == MH_REST_nothing) {
        if (o->rest.awaited)
            return UNSURE; /* it would have, had the connection lived */
        if (o->rest.listened)
            return WRONG;
    }
    if (is_told(g, op) || is_anew(g, o))
        return WELL;
    return u->open || u->how == 1 ? UNSURE : WRONG;
}

static int take(struct looking *l, uint32_t op)
{
    const struct mh_op_seen *o = &l->g->m->ops.v[op];
    const struct mh_act *a = act_of(l->g, o);
    uint64_t key = mh_mix2(mh_mix2(a->unit, a->site), mh_mix2(a->conn, o->path_id));
    uint32_t have = mh_map_get(&l->keys, key);
    enum view view = view_of(l->g, op);
    struct chain *c;

    if (view == UNSURE) {
        l->unsure++;
        return 0;
    }
    if (have == MH_MAP_NONE) {
        c = mh_vec_add(&l->chains);
        if (!c || mh_map_set(&l->keys, key, (uint32_t)l->chains.n - 1))
            return -ENOMEM;
        *c = (struct chain){.op = op};
    } else {
        c = &l->chains.v[have];
    }
    if (view == WRONG && !c->failed)
        *c = (struct chain){.op = op, .failed = true};
    return 0;
}

static int count(struct looking *l)
{
    for (size_t i = 0; i < l->chains.n; i++) {
        const struct chain *c = &l->chains.v[i];
        const struct mh_op_seen *o = &l->g->m->ops.v[c->op];
        const struct mh_act *a = act_of(l->g, o);
        struct mh_tally *t = mh_tally_of(&l->tallies, a->site, a->peer);

        if (!t)
            return -ENOMEM;
        t->fired++;
        t->failed += c->failed;
        t->ambiguous += a->ambiguous;
        t->real += c->failed && !o->fault;
        if (c->failed || !t->example) { /* of all the first that failed, else any */
            if (!t->worst)
                t->example = c->op + 1;
            t->worst |= c->failed;
        }
    }
    return 0;
}

static const char *after(const struct mh_op_seen *o)
{
    if (o->rest.how == MH_REST_other)
        return "the same thread went on with other bytes";
    if (o->rest.listened)
        return "the thread went on to read the answer";
    return o->kind == MH_OP_read ? "nothing more was read" : "nothing followed";
}

static int file(struct looking *l, const struct mh_tally *t)
{
    struct mh_grading *g = l->g;
    const struct mh_op_seen *o = &g->m->ops.v[t->example - 1];
    const struct mh_act *a = act_of(g, o);
    struct mh_tally acts = *t;
    struct mh_judgement *j;

    acts.example = o->act + 1;
    j = mh_judge_acts(g, &acts, MH_SEVERITY_high);
    if (!j)
        return -ENOMEM;
    j->observed = t->real > 0;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j, "%u transfers that fell short were finished, or told of",
                  t->fired - t->failed);
        return 0;
    }
    mh_sentence(j->evidence,
                "%u of %u %ss that fell short were taken as complete: of %lld bytes %lld moved %s "
                "%s (%s), and %s",
                t->failed, t->fired, mh_op_rows[o->kind].name, (long long)o->rest.asked,
                (long long)o->rest.moved, o->kind == MH_OP_read ? "from" : "to",
                o->path ? mh_model_text(g->m, o->path) : mh_name_peer(g, a->peer),
                o->fault ? mh_name_fault(g, o->fault) : "observed, not injected", after(o));
    if (t->ambiguous)
        mh_sentence(j->counter, "%u of %u could belong to another request in flight at that time",
                    t->ambiguous, t->fired);
    return 0;
}

int mh_judge_2008(struct mh_grading *g)
{
    struct looking l = {.g = g};
    int r = 0;

    for (uint32_t i = 0; i < g->m->ops.n && !r; i++)
        if (g->m->ops.v[i].rest.how && act_of(g, &g->m->ops.v[i])->unit)
            r = take(&l, i);
    if (!r)
        r = count(&l);
    for (size_t i = 0; i < l.tallies.list.n && !r; i++)
        r = file(&l, &l.tallies.list.v[i]);
    if (!r && !l.tallies.list.n && l.unsure)
        r = mh_judge_none(g, MH_VERDICT_unclear,
                          "transfers fell short, but whether more was wanted cannot be told", NULL);
    else if (!r && !l.tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no write, send or read of a file fell short",
                          "[fault x] call = file.write net.send, short = 1..16");
    free(l.chains.v);
    mh_map_done(&l.keys);
    mh_tallies_done(&l.tallies);
    return r;
}
