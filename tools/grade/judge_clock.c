/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2018: waits that are reckoned by the time of day. What is under way when the clock is set
 * shows it: set back, nobody reaches his limit any more; set forward, he is past it at once. How
 * long he waits otherwise is known from what the clock was not set within, at the same place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t ms = 1000000, second = 1000000000;
enum { BESIDE_MS = 50, FEW = 2 };

/* Tries of one thing, each but the first because the one before failed: from the first to when the
 * last was answered or given up. */
struct effort {
    uint32_t attempt; /* act: the last one */
    uint32_t unit, process, site, peer;
    int64_t from, to;
    bool over;    /* given up by its own limit, or by its last failure after several */
    bool merged;  /* several tries */
    bool lasting; /* answered, or nobody knows how it ended: it was there until `to` at least */
};

struct place {
    uint32_t site, peer;
    int64_t least, most;           /* how long it takes to give up, when the clock is not set */
    int64_t usual;                 /* the longest wait that was asked for then */
    unsigned known;                /* such */
    unsigned crossed;              /* efforts within which the clock was set */
    unsigned direct;               /* of the failed: the step was in the wait that was asked for */
    int64_t asked;                 /* that wait */
    int64_t step_back, step_forth; /* how far the clock was set */
    struct mh_tally back, forth;
};

struct looking {
    struct mh_grading *g;
    MH_VEC(struct effort) efforts;
    MH_VEC(struct place) places;
    struct mh_map keys;
    struct mh_map last; /* of the unit at hand: site and peer to the effort, plus 1 */
    struct mh_map of;   /* attempt to the effort that it is part of, plus 1 */
};

static struct place *place_of(struct looking *l, uint32_t site, uint32_t peer)
{
    uint64_t key = mh_mix2(site, peer);
    uint32_t have = mh_map_get(&l->keys, key);
    struct place *p;

    if (have != MH_MAP_NONE)
        return &l->places.v[have];
    p = mh_vec_add(&l->places);
    if (!p || mh_map_set(&l->keys, key, (uint32_t)l->places.n - 1))
        return NULL;
    *p = (struct place){.site = site, .peer = peer};
    p->back.site = p->forth.site = site;
    p->back.peer = p->forth.peer = peer;
    return p;
}

/* A wait that ended is no end of the call: where one waits in slices the answer may come yet. */
static bool went_wrong(const struct mh_act *a)
{
    return (a->failed && !a->answered) || a->attempt.status >= 500 || a->attempt.status == 429;
}

/* The effort that this try goes on with. In the run of a command the next one may be about
 * something else. */
static struct effort *continued(struct looking *l, const struct mh_act *a)
{
    uint32_t have = mh_map_get(&l->last, mh_mix2(a->site, a->peer));
    struct effort *e = have == MH_MAP_NONE ? NULL : &l->efforts.v[have - 1];

    return e && went_wrong(&l->g->m->acts.v[e->attempt]) && e->to <= a->at &&
                   !mh_grading_unit(l->g, a->unit)->command
               ? e
               : NULL;
}

static int take_attempt(struct looking *l, uint32_t act)
{
    const struct mh_act *a = &l->g->m->acts.v[act];
    struct effort *e = continued(l, a);

    if (e) {
        e->merged = true;
    } else {
        e = mh_vec_add(&l->efforts);
        if (!e || mh_map_set(&l->last, mh_mix2(a->site, a->peer), (uint32_t)l->efforts.n))
            return -ENOMEM;
        *e = (struct effort){.unit = a->unit,
                             .process = a->process,
                             .site = a->site,
                             .peer = a->peer,
                             .from = a->at,
                             .to = a->at};
    }
    e->attempt = act;
    e->to = MH_MAX(e->to, MH_MAX(a->until, a->attempt.ended));
    return mh_map_set(&l->of, act + 1, (uint32_t)(e - l->efforts.v) + 1);
}

static struct effort *effort_of(const struct looking *l, const struct mh_act *a)
{
    uint32_t have = a->attempt_of ? mh_map_get(&l->of, a->attempt_of) : MH_MAP_NONE;

    return have == MH_MAP_NONE ? NULL : &l->efforts.v[have - 1];
}

/* How it ended. What the peer ended itself shows no limit, unless several tries came before. */
static void settle(const struct looking *l, struct effort *e)
{
    const struct mh_model *m = l->g->m;
    const struct mh_act *a = &m->acts.v[e->attempt];
    const struct mh_unit *u = mh_grading_unit(l->g, e->unit);
    const struct mh_conn *c = a->conn ? &m->conns.v[a->conn - 1] : NULL;

    if (!a->failed && !a->answered) { /* nothing ended it, but its connection or its unit */
        e->to = MH_MAX(e->to, c && c->closed_at ? c->closed_at
                              : u->open         ? m->processes.v[e->process].last
                                                : u->ended);
        e->lasting = true;
    } else if (a->answered && !went_wrong(a)) {
        e->lasting = true;
    } else {
        e->over = e->merged || a->attempt.err == ETIMEDOUT;
    }
    if (u->how == 1 && !u->command && !u->open && u->ended <= e->to + BESIDE_MS * ms) {
        e->over = false; /* it was the caller who left */
        e->lasting = true;
    }
}

static int take_unit(struct looking *l, const struct mh_unit *u)
{
    const struct mh_model *m = l->g->m;
    size_t first = l->efforts.n;

    mh_map_done(&l->last);
    l->last = (struct mh_map){0};
    for (uint32_t i = 0; i < u->nacts; i++) {
        uint32_t act = m->by_unit.v[u->first_act + i];
        const struct mh_act *a = &m->acts.v[act];
        struct effort *e;

        if (a->kind == MH_ACT_attempt && a->peer && a->site && m->sites.v[a->site - 1].app &&
            !a->ambiguous && take_attempt(l, act))
            return -ENOMEM;
        if (a->kind != MH_ACT_wait && a->kind != MH_ACT_waited && a->kind != MH_ACT_close)
            continue;
        /* waits in slices: the first one ends the attempt, the last one the effort */
        e = effort_of(l, a);
        if (e && !m->acts.v[e->attempt].answered)
            e->to = MH_MAX(e->to, a->kind == MH_ACT_waited ? a->at + a->wait.waited : a->at);
    }
    for (size_t i = first; i < l->efforts.n; i++)
        settle(l, &l->efforts.v[i]);
    return 0;
}

/* When the clock was set within the effort, first and next; NULL: it was not. */
static const struct mh_clock_seen *within(const struct looking *l, const struct effort *e,
                                          const struct mh_clock_seen **ret_next)
{
    const struct mh_model *m = l->g->m;
    const struct mh_clock_seen *found = NULL;

    *ret_next = NULL;
    for (size_t i = 0; i < m->clocks.n; i++) {
        const struct mh_clock_seen *c = &m->clocks.v[i];

        if (c->process != e->process || c->at <= e->from || c->at >= e->to)
            continue;
        if (found) {
            *ret_next = c;
            return found;
        }
        found = c;
    }
    return found;
}

/* What is known of a place where the clock was not set within. */
static int learn(struct looking *l)
{
    const struct mh_model *m = l->g->m;
    const struct mh_clock_seen *next;

    for (size_t i = 0; i < l->efforts.n; i++) {
        const struct effort *e = &l->efforts.v[i];
        struct place *p = place_of(l, e->site, e->peer);

        if (!p)
            return -ENOMEM;
        if (!e->over || within(l, e, &next))
            continue;
        p->least = p->known ? MH_MIN(p->least, e->to - e->from) : e->to - e->from;
        p->most = MH_MAX(p->most, e->to - e->from);
        p->known++;
    }
    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];
        const struct effort *e = a->kind == MH_ACT_wait ? effort_of(l, a) : NULL;
        struct place *p = e && !within(l, e, &next) ? place_of(l, e->site, e->peer) : NULL;

        if (p)
            p->usual = MH_MAX(p->usual, a->wait.timeout);
    }
    return 0;
}

/* The longest wait that was asked for in the effort after the clock was set. */
static int64_t asked_after(const struct looking *l, const struct effort *e, int64_t from)
{
    const struct mh_model *m = l->g->m;
    const struct mh_unit *u = mh_grading_unit(l->g, e->unit);
    uint32_t tid = m->acts.v[e->attempt].tid;
    int64_t longest = 0;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + i]];

        if (a->at < from || a->at > e->to || a->ambiguous)
            continue;
        if (a->kind == MH_ACT_wait && effort_of(l, a) == e)
            longest = MH_MAX(longest, a->wait.timeout);
        else if (a->kind == MH_ACT_sleep && a->tid == tid)
            longest = MH_MAX(longest, a->requested);
    }
    return longest;
}

static void count(struct mh_tally *t, const struct effort *e, bool failed)
{
    t->fired++;
    t->failed += failed;
    if (!failed)
        return;
    t->example = e->attempt + 1;
    t->worst = MH_MAX(t->worst, e->to - e->from);
}

/* Set back: who reckons with the time of day does not reach his limit. */
static void set_back(struct looking *l, struct place *p, const struct effort *e,
                     const struct mh_clock_seen *c, bool once)
{
    int64_t took = e->to - e->from, by = -c->step, asked = asked_after(l, e, c->at);

    p->step_back = by;
    /* a wait with the step in it: nothing else asks for so much */
    if (asked > by / 10 * 9 && asked < by + by / 10 + 60 * second && p->usual < by / 4) {
        p->direct++;
        p->asked = MH_MAX(p->asked, asked);
        count(&p->back, e, true);
    } else if (p->known >= FEW && took > 2 * p->most + second) {
        count(&p->back, e, true);
    } else if (p->known >= FEW && e->over && once && took <= p->most + p->most / 2 + second / 2) {
        count(&p->back, e, false);
    }
}

/* Set forward: his limit is past at once. Where he looks at the clock only when a wait has ended,
 * nothing comes of it, so that this alone shows nothing good. */
static void set_forth(struct place *p, const struct effort *e, const struct mh_clock_seen *c)
{
    int64_t took = e->to - e->from;

    if (p->known < FEW || !e->over)
        return;
    p->step_forth = c->step;
    if (e->to - c->read_at <= second && 10 * took < 6 * p->least && c->step > p->most)
        count(&p->forth, e, true);
    else if (10 * took >= 8 * p->least)
        count(&p->forth, e, false);
}

static int look(struct looking *l)
{
    const struct mh_clock_seen *c, *next;

    for (size_t i = 0; i < l->efforts.n; i++) {
        const struct effort *e = &l->efforts.v[i];
        struct place *p;

        c = within(l, e, &next);
        /* begun just before: by which clock its limit was reckoned is not known */
        if (!c || c->at - e->from < BESIDE_MS * ms || c->read_at >= e->to)
            continue;
        p = place_of(l, e->site, e->peer);
        if (!p)
            return -ENOMEM;
        p->crossed++;
        if (c->step < 0)
            set_back(l, p, e, c, !next);
        else if (!next)
            set_forth(p, e, c);
    }
    return 0;
}

static const char *name_step(int64_t ns, char *buf, size_t size)
{
    if (ns < 3600 * second)
        return mh_name_span(ns, buf, size);
    snprintf(buf, size, "%.4g h", (double)ns / (3600e9));
    return buf;
}

static int file_found(struct looking *l, const struct place *p, bool back)
{
    struct mh_grading *g = l->g;
    const struct mh_tally *t = back ? &p->back : &p->forth;
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_medium);
    const char *peer = mh_name_peer(g, p->peer);

    if (!j)
        return -ENOMEM;
    if (back && p->direct >= FEW)
        j->confidence = MH_CONFIDENCE_high;
    if (back)
        mh_sentence(j->evidence,
                    "%u of %u waits for %s that were under way when the clock was set back by %s "
                    "went on beyond their limit, for %s at most",
                    t->failed, t->fired, peer, name_step(p->step_back, (char[32]){0}, 32),
                    MH_SPAN(t->worst));
    else
        mh_sentence(j->evidence,
                    "%u of %u waits for %s that were under way when the clock was set forward by "
                    "%s were given up at once, after %s at most",
                    t->failed, t->fired, peer, name_step(p->step_forth, (char[32]){0}, 32),
                    MH_SPAN(t->worst));
    if (back && p->direct)
        mh_sentence(j->evidence, "after that it asked to wait for %s",
                    name_step(p->asked, (char[32]){0}, 32));
    if (p->known)
        mh_sentence(j->evidence, "where the clock was not set it gave up after %s to %s, %u times",
                    MH_SPAN(p->least), MH_SPAN(p->most), p->known);
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u ended when they should", t->fired - t->failed, t->fired);
    return 0;
}

static int file(struct looking *l, const struct place *p)
{
    struct mh_judgement *j;

    if (p->back.failed && mh_tally_verdict(&p->back) != MH_VERDICT_pass)
        return file_found(l, p, true);
    if (p->forth.failed && mh_tally_verdict(&p->forth) != MH_VERDICT_pass)
        return file_found(l, p, false);
    if (!p->crossed)
        return 0;
    if (p->back.fired) {
        j = mh_judge_acts(l->g, &p->back, MH_SEVERITY_medium);
        if (j)
            mh_reason(j, "%u of %u waits for %s ended at their limit although the clock was set",
                      p->back.fired - p->back.failed, p->back.fired, mh_name_peer(l->g, p->peer));
        return j ? 0 : -ENOMEM;
    }
    j = mh_judge_file(l->g, MH_VERDICT_unclear, p->site, p->peer, MH_SEVERITY_medium,
                      MH_CONFIDENCE_low);
    if (j && p->known < FEW)
        mh_reason(j,
                  "the clock was set while %u waits for %s were under way, and nothing shows "
                  "when they would have been given up otherwise",
                  p->crossed, mh_name_peer(l->g, p->peer));
    else if (j)
        mh_reason(j, "no wait for %s was under way to its limit when the clock was set back",
                  mh_name_peer(l->g, p->peer));
    return j ? 0 : -ENOMEM;
}

static int file_none(struct mh_grading *g)
{
    return mh_judge_none(g, MH_VERDICT_not_exercised,
                         g->m->clocks.n ? "nobody waited for a peer when the clock was set"
                                        : "no process read the time of day while a fault set it",
                         "[fault x] call = clock, step = -1h, after = 10s; while another fault "
                         "lets peers hang");
}

int mh_judge_2018(struct mh_grading *g)
{
    const struct mh_model *m = g->m;
    struct looking l = {.g = g};
    size_t filed = g->judgements.n;
    int r = 0;

    for (size_t i = 0; m->clocks.n && i < m->units.n && !r; i++)
        if (!m->processes.v[m->units.v[i].process].baseline)
            r = take_unit(&l, &m->units.v[i]);
    if (!r)
        r = learn(&l);
    if (!r)
        r = look(&l);
    for (size_t i = 0; i < l.places.n && !r; i++)
        r = file(&l, &l.places.v[i]);
    if (!r && g->judgements.n == filed)
        r = file_none(g);
    mh_map_done(&l.keys);
    mh_map_done(&l.last);
    mh_map_done(&l.of);
    free(l.efforts.v);
    free(l.places.v);
    return r;
}
