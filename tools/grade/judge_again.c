/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what is tried again: MH-0504 in step with all others, MH-0507 although it is
 * hopeless, MH-0508 although it may have been done already, MH-0509 before the peer wanted it. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;

static const char *text_of(const struct mh_grading *g, const struct mh_act *a)
{
    return mh_model_text(g->m, a->attempt.text);
}

static struct mh_tally *count(struct mh_tallies *tallies, const struct mh_act *a, bool failed)
{
    struct mh_tally *t = mh_tally_of(tallies, a->site, a->peer);

    if (!t)
        return NULL;
    t->fired++;
    t->failed += failed;
    t->ambiguous += a->ambiguous;
    return t;
}

static struct mh_judgement *file(struct mh_grading *g, const struct mh_tally *t,
                                 enum mh_severity severity)
{
    struct mh_judgement *j =
        mh_judge_file(g, mh_tally_verdict(t), t->site, t->peer, severity, mh_tally_confidence(t));

    if (!j)
        return NULL;
    j->fired = t->fired;
    j->failed = t->failed;
    j->stack = t->site ? g->m->sites.v[t->site - 1].stack : 0;
    return j;
}

/* ---- MH-0504 ---- */

enum { FEW_SEQUENCES = 3, FEW_WAITS = 3, SHORT_SEQUENCES = 8, CROWD = 10 };
static const int64_t pause_ns = 50000000;

struct spread {
    unsigned sequences, ambiguous, ordinals, tight, wide;
    int64_t mean;
    bool requested;
};

static bool is_of(const struct mh_sequence *s, uint32_t site, uint32_t peer)
{
    return s->site == site && s->peer == peer && s->nwaits && s->median_wait >= pause_ns;
}

/* How far the k-th waits of all sequences lie apart. What was asked for has no noise in it; gaps
 * have, so that less than 60 ms say nothing against a jitter. */
static void spread_at(const struct mh_grading *g, uint32_t site, uint32_t peer, unsigned k,
                      struct spread *ret)
{
    int64_t least = INT64_MAX, most = 0, mean;
    unsigned n = 0;
    double sum = 0;

    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (!is_of(s, site, peer) || s->nwaits <= k)
            continue;
        least = MH_MIN(least, s->waits[k]);
        most = MH_MAX(most, s->waits[k]);
        sum += (double)s->waits[k];
        n++;
    }
    if (n < FEW_SEQUENCES)
        return;
    mean = (int64_t)(sum / n);
    ret->ordinals++;
    ret->mean = ret->ordinals == 1 ? mean : ret->mean;
    if (ret->requested) {
        ret->tight += most - least <= MH_MAX(mean / 100, 2 * ms);
        ret->wide += most - least > MH_MAX(mean / 20, 10 * ms);
    } else {
        ret->tight += most - least <= MH_MAX(mean / 20, 60 * ms);
        ret->wide += most - least > MH_MAX(mean / 10, 100 * ms);
    }
}

/* Sequences of several processes, or of ten requests at once: many that come back together. */
static bool is_crowd(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];
        unsigned at_once = 0;

        if (!is_of(s, site, peer))
            continue;
        for (size_t k = 0; k < g->sequences.n; k++) {
            const struct mh_sequence *o = &g->sequences.v[k];

            if (!is_of(o, site, peer))
                continue;
            if (o->process != s->process)
                return true;
            at_once += o->first <= s->last && o->last >= s->first;
        }
        if (at_once >= CROWD)
            return true;
    }
    return false;
}

static int file_0504(struct mh_grading *g, uint32_t site, uint32_t peer, const struct spread *s)
{
    bool tight = s->tight == s->ordinals && !s->wide;
    bool enough = s->ordinals >= FEW_WAITS || (s->ordinals && s->sequences >= SHORT_SEQUENCES);
    enum mh_verdict_kind verdict = s->wide ? MH_VERDICT_pass
                                   : tight && enough && 2 * s->ambiguous <= s->sequences
                                       ? MH_VERDICT_fail
                                       : MH_VERDICT_unclear;
    struct mh_judgement *j = mh_judge_file(
        g, verdict, site, peer, is_crowd(g, site, peer) ? MH_SEVERITY_medium : MH_SEVERITY_low,
        s->sequences >= 10 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = s->sequences;
    j->failed = verdict == MH_VERDICT_fail ? s->sequences : 0;
    j->stack = site ? g->m->sites.v[site - 1].stack : 0;
    if (verdict == MH_VERDICT_pass)
        mh_reason(j, "the pauses of %u sequences of tries differ", s->sequences);
    else if (verdict == MH_VERDICT_unclear && 2 * s->ambiguous > s->sequences)
        mh_reason(j, "%u of %u sequences of tries may be made of those of several requests",
                  s->ambiguous, s->sequences);
    else if (verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%u sequences of tries are too few, or their pauses too alike by chance, to "
                  "tell whether they vary",
                  s->sequences);
    else
        mh_sentence(j->evidence,
                    "in %u sequences of tries at %s the pauses were the same each time, the first "
                    "one %s",
                    s->sequences, mh_name_peer(g, peer), MH_SPAN(s->mean));
    return 0;
}

int mh_judge_0504(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (size_t i = 0; i < g->sequences.n && !r; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];
        struct spread spread = {.requested = true};
        bool first = true;

        if (!s->unit || !is_of(s, s->site, s->peer))
            continue;
        for (size_t k = 0; k < i && first; k++)
            first = !is_of(&g->sequences.v[k], s->site, s->peer) || !g->sequences.v[k].unit;
        for (size_t k = i; k < g->sequences.n; k++)
            if (is_of(&g->sequences.v[k], s->site, s->peer)) {
                spread.sequences++;
                spread.requested &= g->sequences.v[k].requested;
                spread.ambiguous += g->sequences.v[k].ambiguous;
            }
        if (!first || spread.sequences < FEW_SEQUENCES)
            continue;
        for (unsigned k = 0; k < MH_SEQUENCE_WAITS; k++)
            spread_at(g, s->site, s->peer, k, &spread);
        r = file_0504(g, s->site, s->peer, &spread);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than three sequences of tries with a pause between them",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 10s");
    return r;
}

/* ---- MH-0507, 0508, 0509: the next attempts of the same request in the same unit ---- */

static const struct mh_act *unit_act(const struct mh_grading *g, const struct mh_unit *u,
                                     uint32_t i)
{
    return &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];
}

/* The same bytes for the same peer, from the same line of code. */
static bool is_same(const struct mh_act *a, const struct mh_act *b)
{
    return b->kind == MH_ACT_attempt && a->site == b->site && a->peer == b->peer &&
           a->stack == b->stack && a->attempt.text == b->attempt.text && a->attempt.digest &&
           a->attempt.digest == b->attempt.digest;
}

/* The same, whether a library opened a connection for it or had one. */
static bool is_repeated(const struct mh_model *m, const struct mh_act *a, const struct mh_act *b)
{
    struct mh_act other = *b;

    if (mh_app_line(m, a->stack) && mh_app_line(m, a->stack) == mh_app_line(m, b->stack))
        other.stack = a->stack;
    return is_same(a, &other);
}

static bool is_hopeless(int status)
{
    return status == 400 || status == 401 || status == 403 || status == 404 || status == 409 ||
           status == 422;
}

/* The same look-up, with the same final answer: the name does not exist. */
static bool same_name(const struct mh_act *a, const struct mh_act *b)
{
    return b->kind == MH_ACT_dns && b->dns.result == a->dns.result && b->dns.name == a->dns.name &&
           b->stack == a->stack;
}

/* Attempts from the i-th act of the unit on that can only fail; 0: it is not the first of them, or
 * one of them went well at last (then it was waited for, not hoped for). */
static unsigned hopeless_from(const struct mh_grading *g, const struct mh_unit *u, uint32_t i)
{
    const struct mh_act *a = unit_act(g, u, i);
    bool name = a->kind == MH_ACT_dns && a->dns.result == EAI_NONAME;
    unsigned n = 0;

    if (!name && (a->kind != MH_ACT_attempt || !is_hopeless(a->attempt.status)))
        return 0;
    for (uint32_t k = 0; k < u->nacts; k++) {
        const struct mh_act *b = unit_act(g, u, k);

        if (name ? !same_name(a, b) : !is_repeated(g->m, a, b))
            continue;
        if (k < i)
            return 0;
        if (!name && b->answered && b->attempt.status < 400)
            return 0;
        n++;
    }
    return n;
}

int mh_judge_0507(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = 0;

    for (size_t i = 0; i < g->m->units.n && !r; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        for (uint32_t k = 0; k < u->nacts && !r && !g->m->processes.v[u->process].baseline; k++) {
            unsigned n = hopeless_from(g, u, k);
            struct mh_tally *t = n ? count(&tallies, unit_act(g, u, k), n >= 3) : NULL;

            if (n && !t)
                r = -ENOMEM;
            else if (n)
                t->worst = MH_MAX(t->worst, (int64_t)n);
        }
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = file(g, t, MH_SEVERITY_medium);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u final refusals, and none was asked for three times", t->fired);
        else
            mh_sentence(j->evidence,
                        "%u of %u times a question whose answer was final (an unknown name, or a "
                        "4xx) was asked again, up to %lld times in one unit of work",
                        t->failed, t->fired, (long long)t->worst);
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no peer refused for good, and no name was unknown",
                          "[fault x] call = getaddrinfo, error = EAI_NONAME");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0508 ---- */

static bool is_unsafe(const char *text)
{
    return !strncmp(text, "POST ", 5) || !strncmp(text, "PATCH ", 6);
}

static unsigned times_sent(const struct mh_grading *g, const struct mh_unit *u,
                           const struct mh_act *like)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = unit_act(g, u, i);

        n += a->kind == MH_ACT_attempt && a->site == like->site && a->peer == like->peer &&
             is_unsafe(text_of(g, a));
    }
    return n;
}

/* In calm times each unit of this route sends one such request: a second one is a replay, and not
 * the next item of a list. */
static bool sends_one(const struct mh_grading *g, const struct mh_unit *unit,
                      const struct mh_act *like)
{
    unsigned seen = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        unsigned n = u->calm && u->route == unit->route ? times_sent(g, u, like) : 0;

        if (n > 1)
            return false;
        seen += n;
    }
    return seen >= FEW_SEQUENCES;
}

static double value_0508(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *a = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;

    /* the answer was lost, so that all of the request had left */
    if (!a || !t->error || t->kind != MH_OP_recv || !is_unsafe(text_of(g, a)) ||
        !a->attempt.digest || t->ambiguous || a->answered || !sends_one(g, u, a))
        return MH_NOT_MINE;
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *b = unit_act(g, u, i);

        if (b->at > a->at && is_same(a, b))
            return a->keyed && b->keyed;
    }
    return 1;
}

int mh_judge_0508(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0508);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(g, t, MH_SEVERITY_high);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t, "were sent a second time without an Idempotency-Key,");
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "no answer to a POST or PATCH was lost",
                          "[fault x] call = net.recv, side = client, error = ECONNRESET");
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-2009: what MH-0508 found, with both requests; it files nothing of its own ---- */

static void say_both(const struct mh_grading *g, struct mh_judgement *j)
{
    const struct mh_trial *t = &g->trials.v[j->trial - 1];
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *a = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;
    const char *err = mh_name_err(t->kind, t->err);

    for (uint32_t i = 0; a && i < u->nacts; i++) {
        const struct mh_act *b = unit_act(g, u, i);

        if (b->at <= a->at || !is_same(a, b))
            continue;
        mh_sentence(j->evidence,
                    "%s: %u bytes with digest %016llx, whole, answer lost (%s); %s later %u bytes "
                    "with digest %016llx, answer %d (MH-2009)",
                    text_of(g, a), a->attempt.bytes, (unsigned long long)a->attempt.digest,
                    err ? err : "end", MH_SPAN(b->at - a->at), b->attempt.bytes,
                    (unsigned long long)b->attempt.digest, (int)b->attempt.status);
        return;
    }
}

int mh_judge_2009(struct mh_grading *g)
{
    for (size_t i = 0; i < g->judgements.n; i++) {
        struct mh_judgement *j = &g->judgements.v[i];

        if (j->rule->judge == mh_judge_0508 && j->trial && j->verdict == MH_VERDICT_fail)
            say_both(g, j);
    }
    return 0;
}

/* ---- MH-0509 ---- */

/* Of the same requests in a unit, the i-th act being the first: did one come before its time?
 * -1: it is not the first, or nobody asked for patience. */
static int hurried(const struct mh_grading *g, const struct mh_unit *u, uint32_t i)
{
    const struct mh_act *a = unit_act(g, u, i), *before = a;
    int ret = 0;

    if (a->kind != MH_ACT_attempt || a->retry_after <= 0 || !a->attempt.ended)
        return -1;
    for (uint32_t k = 0; k < i; k++)
        if (is_repeated(g->m, a, unit_act(g, u, k)))
            return -1;
    for (uint32_t k = i + 1; k < u->nacts; k++) {
        const struct mh_act *b = unit_act(g, u, k);
        int64_t asked = MH_MIN(before->retry_after, 3600) * second;

        if (!is_repeated(g->m, a, b))
            continue;
        if (asked > 0 && before->attempt.ended && b->at - before->attempt.ended < asked / 10 * 9)
            ret = 1;
        before = b;
    }
    return ret;
}

int mh_judge_0509(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = 0;

    for (size_t i = 0; i < g->m->units.n && !r; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        for (uint32_t k = 0; k < u->nacts && !r && !g->m->processes.v[u->process].baseline; k++) {
            int hasty = hurried(g, u, k);

            if (hasty >= 0 && !count(&tallies, unit_act(g, u, k), hasty))
                r = -ENOMEM;
        }
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = file(g, t, MH_SEVERITY_medium);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u answers asked for patience, and got it", t->fired);
        else
            mh_sentence(j->evidence,
                        "%u of %u times %s was asked again before the time that its Retry-After "
                        "named",
                        t->failed, t->fired, mh_name_peer(g, t->peer));
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, "no peer answered with Retry-After", NULL);
    mh_tallies_done(&tallies);
    return r;
}
