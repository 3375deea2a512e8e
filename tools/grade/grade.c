/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rules over a model and adds them up; see grade.h. */
#include "grade/grade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/document.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { MANY_SITES = 3, CROWD = 5, BUSY_CALLS = 30, ILL_PERCENT = 5, ILL_ROUTE_UNITS = 5 };

static uint32_t facts_of_peers(const struct mh_model *m)
{
    uint32_t facts = 0;

    for (size_t i = 0; i < m->peers.n; i++) {
        const struct mh_peer_seen *p = &m->peers.v[i];
        enum mh_role role = p->role;

        if (!p->calls && !p->faults && !p->failures)
            continue;
        facts |= MH_FACT_peers;
        if (role == MH_ROLE_telemetry)
            facts |= MH_FACT_telemetry;
        if (role == MH_ROLE_http)
            facts |= MH_FACT_http_peer;
        if (role == MH_ROLE_queue)
            facts |= MH_FACT_queue;
        if (p->calls >= BUSY_CALLS)
            facts |= MH_FACT_busy_peer;
        for (size_t k = 0; k < m->processes.n; k++)
            if (p->port && m->processes.v[k].nunits && mh_served_port(m, (uint32_t)k) == p->port)
                facts |= MH_FACT_chain;
    }
    return facts;
}

/* Do five processes or more call somebody? */
static bool is_crowd(const struct mh_model *m)
{
    unsigned callers = 0;

    for (size_t i = 0; i < m->processes.n; i++) {
        const struct mh_process *p = &m->processes.v[i];
        bool calls = false;

        for (size_t k = p->first_act; k < p->first_act + p->nacts && !calls; k++)
            calls = m->acts.v[k].kind == MH_ACT_attempt;
        callers += calls && !p->baseline;
    }
    return callers >= CROWD;
}

static uint32_t facts_of_acts(const struct mh_model *m)
{
    uint32_t facts = 0, first_tid = 0;

    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->kind == MH_ACT_dns)
            facts |= MH_FACT_dns;
        if (a->kind == MH_ACT_file ||
            (a->kind == MH_ACT_op &&
             (m->ops.v[a->op].kind == MH_OP_write || m->ops.v[a->op].kind == MH_OP_fsync)))
            facts |= MH_FACT_files;
        if (a->task && a->unit)
            facts |= MH_FACT_loop;
        if (a->kind != MH_ACT_attempt)
            continue;
        if (a->pooled)
            facts |= MH_FACT_pool;
        if (m->processes.v[a->process].forked)
            facts |= MH_FACT_fork;
        if (first_tid && a->tid != first_tid && a->process == m->acts.v[i - 1].process)
            facts |= MH_FACT_threads;
        first_tid = a->tid;
    }
    return facts;
}

static uint32_t facts_of_units(const struct mh_model *m)
{
    uint32_t facts = 0;
    unsigned serving = 0;

    for (size_t i = 0; i < m->units.n; i++) {
        if (m->units.v[i].command)
            continue;
        facts |= MH_FACT_server;
        if (m->units.v[i].task || mh_sent_by_loop(m, &m->units.v[i]) ||
            mh_unit_on_greenlet(m, &m->units.v[i]))
            facts |= MH_FACT_loop;
        if (m->routes.v[m->units.v[i].route - 1].health)
            facts |= MH_FACT_probe;
    }
    for (size_t i = 0; i < m->processes.n; i++)
        serving += m->processes.v[i].nunits && !m->processes.v[i].command_run &&
                   !m->processes.v[i].baseline;
    if (serving >= 2)
        facts |= MH_FACT_workers;
    return facts;
}

/* Do thirty requests or more need a peer, whether or not they still ask it? Returns 0 or -ENOMEM.
 */
static int is_busy(const struct mh_model *m, bool *ret)
{
    unsigned *units = calloc(m->routes.n + 1, sizeof(*units));
    bool *asks = calloc(m->routes.n + 1, sizeof(*asks));
    int r;

    for (size_t i = 0; asks && i < m->acts.n; i++)
        if (m->acts.v[i].kind == MH_ACT_attempt && m->acts.v[i].peer && m->acts.v[i].unit)
            asks[m->units.v[m->acts.v[i].unit - 1].route] = true;
    for (size_t i = 0; units && asks && i < m->units.n; i++)
        *ret |= asks[m->units.v[i].route] && !m->units.v[i].command &&
                ++units[m->units.v[i].route] >= BUSY_CALLS;
    r = units && asks ? 0 : -ENOMEM;
    free(units);
    free(asks);
    return r;
}

/* Was the application well while no fault was at work? */
static void judge_health(struct mh_grading *g)
{
    unsigned n = 0;
    bool ill_route = false;

    for (size_t i = 0; i < g->m->routes.n; i++) {
        const struct mh_route *r = &g->m->routes.v[i];

        n += r->calm;
        g->calm_failed += r->calm_failed;
        ill_route |= r->calm >= ILL_ROUTE_UNITS && 2 * r->calm_failed >= r->calm;
    }
    g->healthy_known = n > 0;
    g->healthy = n && !ill_route && g->calm_failed * 100 <= n * ILL_PERCENT;
}

static int compare_log(const void *a, const void *b, void *arg)
{
    const struct mh_model *m = arg;
    int64_t x = m->acts.v[*(const uint32_t *)a].at, y = m->acts.v[*(const uint32_t *)b].at;

    return x < y ? -1 : x > y;
}

static int list_logs(struct mh_grading *g)
{
    for (uint32_t i = 0; i < g->m->acts.n; i++) {
        uint32_t *slot;

        if (g->m->acts.v[i].kind != MH_ACT_log) {
            if (!g->m->acts.v[i].task && g->m->acts.v[i].kind != MH_ACT_sleep &&
                mh_map_set(&g->callers, mh_thread_key(g->m->acts.v[i].process, g->m->acts.v[i].tid),
                           1))
                return -ENOMEM;
            continue;
        }
        slot = mh_vec_add(&g->logs);
        if (!slot)
            return -ENOMEM;
        *slot = i;
    }
    if (g->logs.n)
        qsort_r(g->logs.v, g->logs.n, sizeof(uint32_t), compare_log, (void *)(uintptr_t)g->m);
    return 0;
}

bool mh_rule_applies(const struct mh_grading *g, const struct mh_rule_row *rule)
{
    return ((g->facts | g->unsure) & rule->needs) == rule->needs;
}

static bool is_open(const struct mh_judgement *j)
{
    return j->verdict == MH_VERDICT_fail || j->verdict == MH_VERDICT_partial;
}

static bool is_sure_fail(const struct mh_judgement *j, const struct mh_rule_row *rule)
{
    return j->rule == rule && j->verdict == MH_VERDICT_fail && j->confidence > MH_CONFIDENCE_low &&
           j->site;
}

/* Functions at which a rule surely fails; one function called from three places is one. */
static unsigned places(const struct mh_grading *g, const struct mh_rule_row *rule)
{
    unsigned n = 0;

    for (size_t i = 0; i < g->judgements.n; i++) {
        const struct mh_judgement *j = &g->judgements.v[i];
        bool seen = !is_sure_fail(j, rule);

        for (size_t k = 0; k < i && !seen; k++)
            seen = is_sure_fail(&g->judgements.v[k], rule) &&
                   g->m->sites.v[g->judgements.v[k].site - 1].frames[0].function ==
                       g->m->sites.v[j->site - 1].frames[0].function;
        n += !seen;
    }
    return n;
}

/* The same weakness at three places is a habit: one step more. */
static void raise_habits(struct mh_grading *g, const struct mh_rule_row *rule)
{
    unsigned n = places(g, rule);

    for (size_t i = 0; i < g->judgements.n && n >= MANY_SITES; i++) {
        struct mh_judgement *j = &g->judgements.v[i];

        if (is_sure_fail(j, rule) && j->severity < MH_SEVERITY_critical) {
            j->severity++;
            mh_sentence(j->evidence, "the same in %u functions: one severity more", n);
        }
    }
}

/* An application that is ill without any fault cannot be judged under faults, only for what makes
 * it ill. */
static int judge_all(struct mh_grading *g)
{
    bool ill = g->healthy_known && !g->healthy;

    for (size_t i = 0; i < mh_rule_count; i++) {
        size_t from = g->judgements.n;
        int r;

        g->rule = &mh_rule_rows[i];
        if (!g->rule->judge || !mh_rule_applies(g, g->rule) ||
            (ill && !(g->rule->tiers & MH_TIER_calm)))
            continue;
        r = g->rule->judge(g);
        if (!r)
            r = mh_tiers_apply(g, from);
        if (r)
            return r;
        raise_habits(g, g->rule);
    }
    return 0;
}

/* A rule's value is the mean over its sites, weighted by how sure each is. */
static void score_rule(const struct mh_grading *g, const struct mh_rule_row *rule,
                       const struct mh_judgement *fixed, struct mh_score_rule *ret)
{
    double value = 0, quality = 0;
    unsigned n = 0;

    *ret = (struct mh_score_rule){.principle = rule->principle,
                                  .nominal = rule->nominal,
                                  .applicable = mh_rule_applies(g, rule)};
    for (size_t i = 0; i < g->judgements.n; i++) {
        const struct mh_judgement *j = &g->judgements.v[i];
        double q = mh_score_quality(j->confidence);

        if (j->rule != rule || j->verdict > MH_VERDICT_fail)
            continue;
        n++;
        quality += q;
        value += q * (j == fixed || j->verdict == MH_VERDICT_pass ? 1
                      : j->verdict == MH_VERDICT_partial          ? 0.5
                                                                  : 0);
        if (j == fixed || !is_open(j) || j->confidence == MH_CONFIDENCE_low)
            continue;
        ret->high += j->severity == MH_SEVERITY_high;
        ret->critical += j->severity == MH_SEVERITY_critical;
    }
    ret->judged = n > 0;
    ret->value = n ? value / quality : 0;
    ret->quality = n ? quality / n : 0;
}

static int score_all(struct mh_grading *g)
{
    struct mh_score_rule *rules = calloc(mh_rule_count, sizeof(*rules)), kept;
    struct mh_score with;

    if (!rules)
        return -ENOMEM;
    for (size_t i = 0; i < mh_rule_count; i++)
        score_rule(g, &mh_rule_rows[i], NULL, &rules[i]);
    mh_score_compute(rules, mh_rule_count, &g->score);
    for (size_t i = 0; i < g->judgements.n; i++) {
        struct mh_judgement *j = &g->judgements.v[i];
        size_t row = (size_t)(j->rule - mh_rule_rows);

        if (!is_open(j))
            continue;
        kept = rules[row];
        score_rule(g, j->rule, j, &rules[row]);
        mh_score_compute(rules, mh_rule_count, &with);
        j->points = with.points - g->score.points;
        rules[row] = kept;
    }
    free(rules);
    return 0;
}

static void grading_done(struct mh_grading *g)
{
    for (size_t i = 0; i < g->judgements.n; i++) {
        json_decref(g->judgements.v[i].evidence);
        json_decref(g->judgements.v[i].counter);
        free(g->judgements.v[i].reason);
        free(g->judgements.v[i].how);
    }
    free(g->judgements.v);
    free(g->trials.v);
    free(g->cases.v);
    free(g->sequences.v);
    free(g->refused.v);
    free(g->logs.v);
    free(g->redis.v);
    mh_map_done(&g->redis_keys);
    mh_map_done(&g->case_keys);
    mh_map_done(&g->callers);
    mh_map_done(&g->paces);
    mh_advice_seen_free(g->advice);
}

int mh_grade(const struct mh_model *m, const struct mh_grade_options *options,
             json_t **ret_document)
{
    static const struct mh_grade_options none;
    struct mh_grading g = {.m = m, .options = options ? options : &none};
    bool endpoints = false, busy = false;
    int r;

    g.facts = facts_of_peers(m) | facts_of_acts(m) | facts_of_units(m);
    if (is_crowd(m))
        g.facts |= MH_FACT_crowd;
    if (g.facts & (MH_FACT_peers | MH_FACT_files | MH_FACT_dns))
        g.facts |= MH_FACT_outside;
    if (m->child_never_ready)
        g.facts |= MH_FACT_server;
    if (m->tasks.n)
        g.facts |= MH_FACT_tasks;
    judge_health(&g);
    r = is_busy(m, &busy);
    if (busy)
        g.facts |= MH_FACT_busy_peer;
    if (!r)
        r = list_logs(&g);
    if (!r)
        r = mh_paces_find(&g);
    if (!r)
        r = mh_redis_by_site(&g);
    if (mh_has_optional(&g))
        g.facts |= MH_FACT_optional;
    if (!r)
        r = mh_has_endpoints(&g, &endpoints);
    if (endpoints)
        g.facts |= MH_FACT_endpoints;
    g.unsure = mh_facts_unsure(&g);
    if (!r)
        r = mh_trials_make(&g);
    if (!r)
        r = mh_sequences_make(&g);
    if (!r)
        r = judge_all(&g);
    if (!r)
        r = score_all(&g);
    if (!r)
        r = mh_advice_see(&g);
    if (!r)
        r = mh_document_make(&g, ret_document);
    grading_done(&g);
    return r;
}
