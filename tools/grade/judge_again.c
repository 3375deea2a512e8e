/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what is tried again: MH-0507 although it is hopeless, MH-0508 although it may have
 * been done already, MH-0509 before the peer wanted it. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { FEW_CALM = 3 };

static const char *text_of(const struct mh_grading *g, const struct mh_act *a)
{
    return mh_model_text(g->m, a->attempt.text);
}

static struct mh_judgement *file(struct mh_grading *g, const struct mh_tally *t,
                                 enum mh_severity severity)
{
    return mh_judge_site(g, t, mh_tally_verdict(t), severity, mh_tally_confidence(t));
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

/* What will not change by asking: a 4xx, a name that does not exist, what one may not have. */
static bool is_final(const struct mh_grading *g, const struct mh_act *a)
{
    switch (a->kind) {
    case MH_ACT_attempt:
        return mh_is_final_status(a->attempt.status);
    case MH_ACT_dns:
        return a->dns.result == EAI_NONAME;
    case MH_ACT_op:
        return g->m->ops.v[a->op].err == EACCES && !mh_op_asks(g->m->ops.v[a->op].kind);
    default:
        return false;
    }
}

/* Is this the same asked again, whatever came of it? */
static bool asks_again(const struct mh_grading *g, const struct mh_act *a, const struct mh_act *b)
{
    const struct mh_op_seen *o, *p;

    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case MH_ACT_dns:
        return b->dns.result == a->dns.result && b->dns.name == a->dns.name && b->stack == a->stack;
    case MH_ACT_op:
        o = &g->m->ops.v[a->op];
        p = &g->m->ops.v[b->op];
        return p->kind == o->kind && p->err == o->err && p->path_id == o->path_id &&
               b->peer == a->peer && b->stack == a->stack;
    default:
        return is_repeated(g->m, a, b);
    }
}

/* Attempts from the i-th act of the unit on that can only fail; 0: it is not the first of them, or
 * one of them went well at last (then it was waited for, not hoped for). */
static unsigned hopeless_from(const struct mh_grading *g, const struct mh_unit *u, uint32_t i)
{
    const struct mh_act *a = unit_act(g, u, i);
    unsigned n = 0;

    if (!is_final(g, a))
        return 0;
    for (uint32_t k = 0; k < u->nacts; k++) {
        const struct mh_act *b = unit_act(g, u, k);

        if (!asks_again(g, a, b))
            continue;
        if (k < i)
            return 0;
        if (a->kind == MH_ACT_attempt && b->answered && b->attempt.status < 400)
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

        /* cut by the end of the run: the answer that all of them were for may have been next */
        if (!u->command && (u->open || u->how == 1))
            continue;
        for (uint32_t k = 0; k < u->nacts && !r && !g->m->processes.v[u->process].baseline; k++) {
            unsigned n = hopeless_from(g, u, k);
            struct mh_tally *t = n ? mh_tally_act(&tallies, unit_act(g, u, k), n >= 3) : NULL;

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
                        "%u of %u times a question whose answer was final (an unknown name, a 4xx, "
                        "or EACCES) was asked again, up to %lld times in one unit of work",
                        t->failed, t->fired, (long long)t->worst);
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no peer refused for good, no name was unknown, nothing was forbidden",
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
    return seen >= FEW_CALM;
}

/* Another try of the same that failed: one more would have come, or had come already, and whether
 * it would have been sent after that loss was not for the application to say. A pool that connects
 * in a task of its own has no line of the application's on its stack. */
static bool is_vain_try(const struct mh_model *m, const struct mh_act *a, const struct mh_act *b)
{
    int32_t line = mh_app_line(m, b->stack);

    return b != a && b->kind == MH_ACT_attempt && b->failed && a->site == b->site &&
           a->peer == b->peer && (!line || line == mh_app_line(m, a->stack));
}

static double value_0508(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *a = o->attempt ? &g->m->acts.v[o->attempt - 1] : NULL;
    bool in_vain = false;

    /* the answer was lost, so that all of the request had left */
    if (!a || !t->error || t->kind != MH_OP_recv || !is_unsafe(text_of(g, a)) ||
        !a->attempt.digest || t->ambiguous || a->answered || !sends_one(g, u, a))
        return MH_NOT_MINE;
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *b = unit_act(g, u, i);

        if (b->at > a->at && is_repeated(g->m, a, b))
            return a->keyed && b->keyed;
        in_vain |= is_vain_try(g->m, a, b);
    }
    return in_vain ? MH_NOT_MINE : 1;
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
    char answer[16];

    for (uint32_t i = 0; a && i < u->nacts; i++) {
        const struct mh_act *b = unit_act(g, u, i);

        if (b->at <= a->at || !is_repeated(g->m, a, b))
            continue;
        snprintf(answer, sizeof(answer), "%d", (int)b->attempt.status);
        mh_sentence(j->evidence,
                    "%s: %u bytes with digest %016llx, whole, answer lost (%s); %s later %u bytes "
                    "with digest %016llx, answer %s (MH-2009)",
                    text_of(g, a), a->attempt.bytes, (unsigned long long)a->attempt.digest,
                    err ? err : "end", MH_SPAN(b->at - a->at), b->attempt.bytes,
                    (unsigned long long)b->attempt.digest, b->attempt.status ? answer : "none");
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

            if (hasty >= 0 && !mh_tally_act(&tallies, unit_act(g, u, k), hasty))
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
