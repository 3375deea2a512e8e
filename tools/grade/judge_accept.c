/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0803: a request is answered as accepted although the work was never handed to the broker, and
 * nobody hands it over later. */
#include <errno.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { WATCH_S = 15, LONG_WATCH_S = 60 };

/* Of one broker. */
struct fate {
    struct mh_tally tally; /* fired: judged requests; failed: those whose work is gone */
    unsigned kept;         /* of these: another place was written to afterwards */
    unsigned told;         /* accepted, but with another answer than usual */
    int64_t first, last;   /* when work was lost */
};

static bool is_push(const struct mh_grading *g, const struct mh_act *a, uint32_t peer)
{
    return a->kind == MH_ACT_attempt && a->peer == peer && a->attempt.digest &&
           mh_redis_use_of(mh_model_text(g->m, a->attempt.text)) == MH_REDIS_push;
}

/* Has this unit sent anything that may be the message, whether or not an answer came? */
static bool may_have_sent(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];
        enum mh_redis_use use;

        if (a->kind != MH_ACT_attempt || a->peer != peer || !a->attempt.digest)
            continue;
        use = mh_redis_use_of(mh_model_text(g->m, a->attempt.text));
        if (use == MH_REDIS_none || use == MH_REDIS_push || use == MH_REDIS_other)
            return true;
    }
    return false;
}

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

static void take(const struct mh_grading *g, uint32_t trial, struct fate *f)
{
    const struct mh_trial *t = &g->trials.v[trial];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *a = &g->m->acts.v[g->m->ops.v[t->op].act];
    bool accepted = !u->open && u->status >= 200 && u->status < 300;

    if (t->outcome == MH_OUTCOME_refused) {
        f->tally.fired++;
        f->tally.passed = trial + 1;
    }
    if (!accepted || t->outcome == MH_OUTCOME_unknown)
        return;
    if (may_have_sent(g, u, t->peer)) {
        f->tally.fired += t->retry_ok;
        return;
    }
    if (t->body == MH_BODY_other) {
        f->told++;
        return;
    }
    f->tally.fired++;
    f->tally.failed++;
    f->tally.site = t->site;
    f->tally.ambiguous += t->ambiguous;
    f->tally.real += !t->fault;
    f->tally.example = f->tally.example ? f->tally.example : trial + 1;
    f->kept += kept_elsewhere(g, t);
    f->first = f->first ? MH_MIN(f->first, a->at) : a->at;
    f->last = MH_MAX(f->last, u->ended);
}

/* One trial a unit and broker. */
static int look(const struct mh_grading *g, uint32_t peer, struct fate *f)
{
    struct mh_map seen = {0};
    int r = 0;

    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (t->peer != peer || !t->error || !t->presend || t->walked ||
            mh_grading_unit(g, t->unit)->command || mh_map_get(&seen, t->unit) != MH_MAP_NONE)
            continue;
        r = mh_map_set(&seen, t->unit, 1);
        take(g, i, f);
    }
    mh_map_done(&seen);
    return r;
}

/* Messages that reached the broker since, beyond those of the requests that were accepted since:
 * somebody hands over what was kept. -1: cannot be told, for the messages cannot be counted. */
static long handed_over_later(const struct mh_grading *g, uint32_t peer, int64_t from)
{
    double calm_pushes = 0, calm_units = 0, expected = 0;
    long pushes = 0, others = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        unsigned n = 0;

        for (uint32_t k = 0; k < u->nacts && !u->command; k++)
            n += is_push(g, &g->m->acts.v[g->m->by_unit.v[u->first_act + k]], peer);
        calm_pushes += u->calm ? n : 0;
        calm_units += u->calm && n;
        expected += !u->calm && u->begun >= from && n && u->status >= 200 && u->status < 300;
    }
    for (size_t i = 0; i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind != MH_ACT_attempt || a->peer != peer || a->failed || a->at < from ||
            g->m->processes.v[a->process].baseline)
            continue;
        pushes += is_push(g, a, peer) && a->answered;
        others += !a->unit;
    }
    if (calm_units)
        return (long)((double)pushes - expected * calm_pushes / calm_units);
    return others ? -1 : 0;
}

static int file(struct mh_grading *g, uint32_t peer, struct fate *f)
{
    int64_t watched = g->m->last - f->last;
    long later = f->tally.failed ? handed_over_later(g, peer, f->first) : 0;
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
                    f->tally.failed, f->tally.fired,
                    mh_name_route(g, g->trials.v[f->tally.example - 1].unit),
                    mh_grading_unit(g, g->trials.v[f->tally.example - 1].unit)->status,
                    mh_name_peer(g, peer), MH_SPAN(watched));
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
        r = look(g, peer, &f);
        if (!r && f.tally.fired)
            r = file(g, peer, &f);
        else if (!r && f.told)
            r = mh_judge_none(g, MH_VERDICT_unclear,
                              "requests were accepted without the broker, with an answer of their "
                              "own that may say so",
                              NULL);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "no request failed to reach its broker",
                          "[fault x] peer = BROKER:PORT, call = connect, error = ECONNREFUSED");
    return r;
}
