/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0803: a request is answered as accepted although the work was never handed to the broker, and
 * nobody hands it over later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { WATCH_S = 15, LONG_WATCH_S = 60, CALM_FEW = 3, ACCEPTED = 202 };

/* Of one broker. */
struct fate {
    struct mh_tally tally; /* fired: judged requests; failed: those whose work is gone */
    struct mh_handed *handed;
    unsigned kept;        /* of these: another place was written to */
    unsigned after;       /* of these: answered before it was tried */
    unsigned told;        /* accepted, but with another answer than usual */
    unsigned unsure;      /* answered before it was tried, and not as work that is taken */
    uint32_t unit, stack; /* of one whose work is gone */
    int64_t first, last;  /* when work was lost */
};

/* Was a file written, or somebody else asked, after the broker had failed? */
static bool kept_elsewhere(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    int64_t at = g->m->acts.v[g->m->ops.v[t->op].act].at;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->at >= at &&
            (a->kind == MH_ACT_file || (a->kind == MH_ACT_attempt && a->peer != t->peer)))
            return true;
    }
    return t->fallback;
}

/* The work of this request is gone with this operation. */
static void lose(const struct mh_grading *g, uint32_t op, uint32_t unit, struct fate *f)
{
    const struct mh_op_seen *o = &g->m->ops.v[op];
    const struct mh_act *a = &g->m->acts.v[o->act];

    f->handed[unit].lost = true;
    f->tally.fired++;
    f->tally.failed++;
    f->tally.site = a->site;
    f->tally.real += !o->fault;
    f->stack = f->unit ? f->stack : a->stack;
    f->unit = f->unit ? f->unit : unit;
    f->first = f->first ? MH_MIN(f->first, a->at) : a->at;
    f->last = MH_MAX(f->last, mh_grading_unit(g, unit)->ended);
}

static bool is_accepted(const struct mh_unit *u)
{
    return !u->open && u->status >= 200 && u->status < 300;
}

static void take(const struct mh_grading *g, uint32_t trial, struct fate *f)
{
    const struct mh_trial *t = &g->trials.v[trial];

    if (t->outcome == MH_OUTCOME_refused) {
        f->tally.fired++;
        f->tally.passed = trial + 1;
    }
    if (!is_accepted(mh_grading_unit(g, t->unit)) || t->outcome == MH_OUTCOME_unknown)
        return;
    if (f->handed[t->unit].sent) {
        f->tally.fired += t->retry_ok;
        return;
    }
    if (t->body == MH_BODY_other) {
        f->told++;
        return;
    }
    lose(g, t->op, t->unit, f);
    f->tally.ambiguous += t->ambiguous;
    f->tally.example = f->tally.example ? f->tally.example : trial + 1;
    f->kept += kept_elsewhere(g, t);
}

/* One trial a unit and broker. */
static void look(const struct mh_grading *g, uint32_t peer, struct fate *f)
{
    for (uint32_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (t->peer != peer || !t->error || !t->presend || t->walked ||
            mh_grading_unit(g, t->unit)->command || f->handed[t->unit].judged)
            continue;
        f->handed[t->unit].judged = true;
        take(g, i, f);
    }
}

/* ---- requests that are answered first, and hand their work over afterwards ---- */

/* Do all requests of the route do so when all is well? */
static bool is_habit(const struct mh_habit *h)
{
    return h->calm >= CALM_FEW && 10 * h->after >= 9 * h->calm;
}

static bool failed_unsent(const struct mh_op_seen *o)
{
    return o->err &&
           (o->kind == MH_OP_connect || o->kind == MH_OP_getaddrinfo || o->kind == MH_OP_send);
}

/* Only 202 says that work was taken and is still to be done; another answer may have been all. What
 * was put elsewhere at any time may be what counts, and the message but a nudge. */
static void take_after(const struct mh_grading *g, uint32_t op, uint32_t unit, struct fate *f)
{
    const struct mh_unit *u = mh_grading_unit(g, unit);
    struct mh_handed *h = &f->handed[unit];

    if (h->sent) {
        f->tally.fired += h->answered > 0;
        return;
    }
    if (mh_unit_body(g->m, u) == MH_BODY_other) {
        f->told++;
        return;
    }
    if (u->status != ACCEPTED) {
        f->unsure += mh_is_changing(mh_model_text(g->m, u->path));
        return;
    }
    lose(g, op, unit, f);
    f->after++;
    f->kept += h->elsewhere;
}

static int look_after(const struct mh_grading *g, uint32_t peer, struct fate *f)
{
    struct mh_habit *habits = mh_habits_of(g, f->handed);

    for (uint32_t i = 0; habits && i < g->m->ops.n; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->ops.v[i].act];
        uint32_t unit = a->unit || a->peer != peer ? 0 : mh_act_owner(g->m, a);
        const struct mh_unit *u = unit ? mh_grading_unit(g, unit) : NULL;

        if (!u || u->command || !failed_unsent(&g->m->ops.v[i]) ||
            g->m->processes.v[a->process].baseline)
            continue;
        if (!f->handed[unit].judged && is_accepted(u) && is_habit(&habits[u->route]))
            take_after(g, i, unit, f);
        f->handed[unit].judged = true;
        if (f->handed[unit].lost) /* it may be tried for long */
            f->last = MH_MAX(f->last, a->until);
    }
    free(habits);
    return habits ? 0 : -ENOMEM;
}

/* Messages that reached the broker since, beyond those of the requests that were accepted since:
 * somebody hands over what was kept. -1: cannot be told, for the messages cannot be counted. */
static long handed_over_later(const struct mh_grading *g, uint32_t peer, const struct fate *f)
{
    double calm_pushes = 0, calm_units = 0, expected = 0;
    long pushes = 0, others = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_handed *h = &f->handed[i + 1];

        if (u->command || !h->pushes)
            continue;
        calm_pushes += u->calm ? h->pushes : 0;
        calm_units += u->calm;
        expected +=
            h->first >= f->first && is_accepted(u) && !g->m->processes.v[u->process].baseline;
    }
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->peer != peer || a->failed || a->at < f->first ||
            g->m->processes.v[a->process].baseline)
            continue;
        pushes += mh_is_push(g, a, peer) && a->answered;
        others += !mh_act_owner(g->m, a);
    }
    if (calm_units)
        return (long)((double)pushes - expected * calm_pushes / calm_units);
    return others ? -1 : 0;
}

static int file(struct mh_grading *g, uint32_t peer, struct fate *f)
{
    int64_t watched = g->m->last - f->last;
    long later = f->tally.failed ? handed_over_later(g, peer, f) : 0;
    bool made_up = later >= (long)f->tally.failed;
    bool unclear = f->tally.failed && !made_up && (watched < WATCH_S * second || f->kept || later);
    enum mh_verdict_kind verdict = unclear   ? MH_VERDICT_unclear
                                   : made_up ? MH_VERDICT_pass
                                             : mh_tally_verdict(&f->tally);
    struct mh_judgement *j;

    j = mh_judge_file(g, verdict, f->tally.site, peer, MH_SEVERITY_critical,
                      watched >= LONG_WATCH_S * second || !f->tally.failed
                          ? mh_tally_confidence(&f->tally)
                          : MH_MIN(mh_tally_confidence(&f->tally), MH_CONFIDENCE_medium));
    if (!j)
        return -ENOMEM;
    j->fired = f->tally.fired;
    j->failed = made_up || unclear ? 0 : f->tally.failed;
    j->observed = f->tally.real > 0;
    j->trial = f->tally.example ? f->tally.example : f->tally.passed;
    j->stack = j->trial ? 0 : f->stack;
    if (unclear)
        mh_reason(j, "%u requests were accepted whose work never reached %s, but %s",
                  f->tally.failed, mh_name_peer(g, peer),
                  f->kept ? "it may have been kept in another place"
                  : later ? "some messages may have been handed over later"
                          : "the watch afterwards was shorter than 15 s");
    else if (verdict == MH_VERDICT_pass)
        mh_reason(j,
                  made_up && f->tally.failed
                      ? "%u requests were accepted without %s, and their work was handed over later"
                      : "%u requests that could not reach %s were refused, or got through",
                  made_up && f->tally.failed ? f->tally.failed : f->tally.fired,
                  mh_name_peer(g, peer));
    else
        mh_sentence(j->evidence,
                    "%u of %u requests were accepted (%s, %d, for one) although nothing of their "
                    "work reached %s; no message followed in %s",
                    f->tally.failed, f->tally.fired, mh_name_route(g, f->unit),
                    mh_grading_unit(g, f->unit)->status, mh_name_peer(g, peer), MH_SPAN(watched));
    if (json_array_size(j->evidence) && f->after)
        mh_sentence(j->evidence, "%u of them were answered before it was tried", f->after);
    if (f->told)
        mh_sentence(j->counter, "%u more were answered otherwise than usual: callers may know",
                    f->told);
    return 0;
}

int mh_judge_0803(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (uint32_t peer = 1; peer <= g->m->peers.n && !r; peer++) {
        struct fate f = {.kept = 0};

        if (g->m->peers.v[peer - 1].role != MH_ROLE_queue)
            continue;
        f.tally.peer = peer;
        f.handed = mh_handed_of(g, peer);
        if (!f.handed)
            return -ENOMEM;
        look(g, peer, &f);
        r = look_after(g, peer, &f);
        if (!r && f.tally.fired)
            r = file(g, peer, &f);
        else if (!r && f.told)
            r = mh_judge_none(g, MH_VERDICT_unclear,
                              "requests were accepted without the broker, with an answer of their "
                              "own that may say so",
                              NULL);
        else if (!r && f.unsure)
            r = mh_judge_none(g, MH_VERDICT_unclear,
                              "requests were answered before what they hand over failed to reach "
                              "the broker, and not with 202: whether that was their work is not "
                              "known",
                              NULL);
        free(f.handed);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "no request failed to reach its broker",
                          "[fault x] peer = BROKER:PORT, call = connect, error = ECONNREFUSED");
    return r;
}
