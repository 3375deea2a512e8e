/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies, verdicts, confidence, and the words that judges use; see judge.h. */
#include "grade/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/errname.h"
#include "base/hash.h"
#include "grade/document.h"

#include "base/banned.h"

enum { MEDIUM_TRIALS = 3, HIGH_TRIALS = 10, MANY_SITES = 3 };

struct mh_tally *mh_tally_of(struct mh_tallies *tallies, uint32_t site, uint32_t peer)
{
    uint64_t key = mh_mix2(site, peer);
    uint32_t have = mh_map_get(&tallies->keys, key);
    struct mh_tally *t;

    if (have != MH_MAP_NONE)
        return &tallies->list.v[have];
    t = mh_vec_add(&tallies->list);
    if (!t || mh_map_set(&tallies->keys, key, (uint32_t)tallies->list.n - 1))
        return NULL;
    t->site = site;
    t->peer = peer;
    return t;
}

struct mh_tally *mh_tally_trial(struct mh_grading *g, struct mh_tallies *tallies, uint32_t trial,
                                double value)
{
    const struct mh_trial *from = &g->trials.v[trial];
    struct mh_tally *t = mh_tally_of(tallies, from->site, from->peer);

    if (!t)
        return NULL;
    t->fired++;
    t->failed += value < 0.25;
    t->partial += value >= 0.25 && value < 0.75;
    t->ambiguous += from->ambiguous;
    t->real += !from->fault;
    t->window += !from->one_shot;
    t->write += from->write;
    t->unhealthy += !from->healthy_after;
    if (from->path && mh_grading_unit(g, from->unit)->command)
        t->again += from->nops - 1;
    if (value >= 0.75)
        t->passed = trial + 1;
    else if (!t->example || (value < 0.25 && t->failed == 1))
        t->example = trial + 1;
    return t;
}

struct mh_tally *mh_tally_act(struct mh_tallies *tallies, const struct mh_act *a, bool failed)
{
    struct mh_tally *t = mh_tally_of(tallies, a->site, a->peer);

    if (!t)
        return NULL;
    t->fired++;
    t->failed += failed;
    t->ambiguous += a->ambiguous;
    return t;
}

void mh_tallies_done(struct mh_tallies *tallies)
{
    free(tallies->list.v);
    mh_map_done(&tallies->keys);
}

enum mh_verdict_kind mh_tally_verdict(const struct mh_tally *t)
{
    unsigned bad = 2 * t->failed + t->partial; /* in halves */

    if (3 * bad >= 4 * t->fired)
        return MH_VERDICT_fail;
    return 3 * bad > 2 * t->fired ? MH_VERDICT_partial : MH_VERDICT_pass;
}

enum mh_confidence mh_tally_confidence(const struct mh_tally *t)
{
    unsigned passed = t->fired - t->failed - t->partial;
    unsigned agree = MH_MAX(MH_MAX(t->failed, t->partial), passed);
    enum mh_confidence c = MH_CONFIDENCE_low;

    /* a command that goes on writing a file does so as if it were another request each time */
    if (agree == t->fired && t->fired + t->again >= HIGH_TRIALS)
        c = MH_CONFIDENCE_high;
    else if ((agree == t->fired && t->fired + t->again >= MEDIUM_TRIALS) ||
             (t->fired >= MEDIUM_TRIALS && 5 * agree >= 4 * t->fired))
        c = MH_CONFIDENCE_medium;
    /* of many that end alike each may belong to any of those in flight: it is the same verdict */
    if (2 * t->ambiguous > t->fired &&
        (c == MH_CONFIDENCE_high || (c == MH_CONFIDENCE_medium && t->fired < HIGH_TRIALS)))
        c--;
    return c;
}

/* Less than 1 % of the calls in a calm time, but not only at the start: worth one step less. */
static bool is_rare(const struct mh_grading *g, uint32_t site)
{
    uint64_t all = 0;

    for (size_t i = 0; i < g->m->sites.n; i++)
        all += g->m->sites.v[i].calm_calls;
    return site && all >= 100 && g->m->sites.v[site - 1].calm_calls &&
           g->m->sites.v[site - 1].calm_calls * 100 < all;
}

struct mh_judgement *mh_judge_file(struct mh_grading *g, enum mh_verdict_kind verdict,
                                   uint32_t site, uint32_t peer, enum mh_severity severity,
                                   enum mh_confidence confidence)
{
    struct mh_judgement *j = mh_vec_add(&g->judgements);

    if (!j)
        return NULL;
    j->rule = g->rule;
    j->verdict = verdict;
    j->site = site;
    j->peer = peer;
    j->confidence = confidence;
    j->severity = severity;
    j->type = g->rule->type;
    if (is_rare(g, site) && j->severity > MH_SEVERITY_low)
        j->severity--;
    if (verdict == MH_VERDICT_partial && j->severity > MH_SEVERITY_low)
        j->severity--;
    if (confidence == MH_CONFIDENCE_low && j->severity > MH_SEVERITY_medium)
        j->severity = MH_SEVERITY_medium;
    j->evidence = json_array();
    j->counter = json_array();
    return j->evidence && j->counter ? j : NULL;
}

struct mh_judgement *mh_judge_tally(struct mh_grading *g, const struct mh_tally *t,
                                    enum mh_severity severity)
{
    enum mh_verdict_kind verdict = mh_tally_verdict(t);
    struct mh_judgement *j;

    /* well ended, but nothing healthy came after: the fault may still be at work */
    if (verdict == MH_VERDICT_pass && t->unhealthy == t->fired)
        verdict = MH_VERDICT_unclear;
    /* a real failure may prove that something is wrong, never that all has been tried */
    else if (verdict == MH_VERDICT_pass && t->real == t->fired)
        verdict = MH_VERDICT_not_exercised;
    j = mh_judge_file(g, verdict, t->site, t->peer, severity, mh_tally_confidence(t));
    if (!j)
        return NULL;
    j->fired = t->fired;
    j->failed = t->failed + t->partial;
    j->observed = t->real > 0;
    j->trial = t->example ? t->example : t->passed;
    if (verdict == MH_VERDICT_unclear)
        mh_reason(j, "%u of %u ended well, but no healthy answer of the route was seen afterwards",
                  t->fired - t->failed - t->partial, t->fired);
    if (verdict == MH_VERDICT_not_exercised)
        mh_reason(j, "%u real failures ended well, and none was injected", t->fired);
    if (t->ambiguous)
        mh_sentence(j->counter,
                    "%u of %u could belong to another request in flight at the same time",
                    t->ambiguous, t->fired);
    return j;
}

struct mh_judgement *mh_judge_acts(struct mh_grading *g, const struct mh_tally *t,
                                   enum mh_severity severity)
{
    struct mh_judgement *j =
        mh_judge_file(g, mh_tally_verdict(t), t->site, t->peer, severity, mh_tally_confidence(t));

    if (!j)
        return NULL;
    j->fired = t->fired;
    j->failed = t->failed;
    j->stack = t->example ? g->m->acts.v[t->example - 1].stack : 0;
    return j;
}

struct mh_judgement *mh_judge_site(struct mh_grading *g, const struct mh_tally *t,
                                   enum mh_verdict_kind verdict, enum mh_severity severity,
                                   enum mh_confidence confidence)
{
    struct mh_judgement *j = mh_judge_file(g, verdict, t->site, t->peer, severity, confidence);

    if (!j)
        return NULL;
    j->fired = t->fired;
    j->failed = t->failed;
    j->stack = t->site ? g->m->sites.v[t->site - 1].stack : 0;
    return j;
}

int mh_judge_none(struct mh_grading *g, enum mh_verdict_kind verdict, const char *reason,
                  const char *how)
{
    struct mh_judgement *j = mh_judge_file(g, verdict, 0, 0, g->rule->nominal, MH_CONFIDENCE_low);

    if (!j)
        return -ENOMEM;
    mh_reason(j, "%s", reason);
    if (how)
        j->how = strdup(how);
    return j->reason && (!how || j->how) ? 0 : -ENOMEM;
}

void mh_sentence(json_t *list, const char *format, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (list)
        json_array_append_new(list, mh_json_text(text));
}

void mh_reason(struct mh_judgement *j, const char *format, ...)
{
    va_list ap;
    char *text = NULL;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    free(j->reason);
    j->reason = text;
}

const char *mh_name_span(int64_t ns, char *buf, size_t size)
{
    double ms = (double)ns / 1e6;

    if (ns < 0)
        snprintf(buf, size, "none");
    else if (ms < 10) /* short is not nothing */
        snprintf(buf, size, ns && ms < 0.1 ? "%.2f ms" : "%.1f ms", ms);
    else if (ms < 1000)
        snprintf(buf, size, "%.0f ms", ms);
    else
        snprintf(buf, size, "%.1f s", ms / 1000);
    return buf;
}

const char *mh_name_frame(const struct mh_grading *g, const struct mh_frame *f, char *buf, size_t n)
{
    snprintf(buf, n, "%s (%s:%d)", mh_model_text(g->m, f->function), mh_model_file(g->m, f->file),
             (int)f->line);
    return buf;
}

const char *mh_name_err(enum mh_op_kind kind, int err)
{
    const char *name = kind == MH_OP_getaddrinfo ? mh_eai_name(err) : mh_errno_name(err);

    return err ? name : NULL;
}

const char *mh_name_call(int call)
{
    return call >= 0 && call < MH_CALL_COUNT ? mh_call_rows[call].name : "a wait";
}

const char *mh_name_site(const struct mh_grading *g, uint32_t site)
{
    return site ? mh_model_text(g->m, g->m->sites.v[site - 1].frames[0].function)
                : "(no Python frame)";
}

const char *mh_name_peer(const struct mh_grading *g, uint32_t peer)
{
    return peer ? mh_model_text(g->m, g->m->peers.v[peer - 1].name) : "";
}

const char *mh_name_route(const struct mh_grading *g, uint32_t unit)
{
    const struct mh_unit *u = unit ? mh_grading_unit(g, unit) : NULL;

    if (!u)
        return "background";
    return mh_model_text(g->m, u->sealed ? u->path : g->m->routes.v[u->route - 1].name);
}

const char *mh_name_fault(const struct mh_grading *g, int32_t fault)
{
    const char *name = fault ? mh_model_text(g->m, g->m->faults.v[fault - 1].name) : "real failure";

    return *name ? name : "fault";
}
