/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: the findings and verdicts, and the whole; see document.h. */
#include "grade/document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#include "base/banned.h"

/* Length of the UTF-8 character at p, 0 when it is none. */
static size_t utf8_length(const unsigned char *p)
{
    static const unsigned char least[] = {0, 0, 0, 0xa0, 0x90};
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 || p[0] == 0xf0) && p[1] < least[n])
        return 0;
    if ((p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return n;
}

json_t *mh_json_text(const char *text)
{
    size_t n = strlen(text), k;
    char *copy = malloc(n + 1);
    json_t *ret;

    if (!copy)
        return NULL;
    memcpy(copy, text, n + 1);
    for (size_t i = 0; i < n; i += k) {
        k = utf8_length((const unsigned char *)copy + i);
        if (!k || (k == 1 && (unsigned char)copy[i] < 0x20 && copy[i] != '\n' && copy[i] != '\t')) {
            copy[i] = '?';
            k = 1;
        }
    }
    ret = json_string(copy);
    free(copy);
    return ret;
}

json_t *mh_json_text_or_null(const char *text)
{
    return *text ? mh_json_text(text) : json_null();
}

static double rounded(double v, int digits)
{
    double scale = pow(10, digits);

    return round(v * scale) / scale;
}

double mh_json_shown(double v, int digits, double scale)
{
    return floor(scale * rounded(v, digits) + 0.5);
}

json_t *mh_json_number(double v, int digits)
{
    v = rounded(v, digits);
    return digits == 0 || v == floor(v) ? json_integer((json_int_t)v) : json_real(v);
}

void mh_finding_id(const struct mh_grading *g, const struct mh_judgement *j, char ret[13])
{
    uint64_t h = mh_hash_text(MH_HASH_START, j->rule->id);
    const char *peer = mh_name_peer(g, j->peer), *colon = strrchr(peer, ':');
    size_t host = colon ? (size_t)(colon - peer) : strlen(peer);
    bool loopback =
        !strncmp(peer, "127.", 4) || !strncmp(peer, "[::1]", 5) || !strncmp(peer, "localhost", 9);

    if (j->site)
        h = mh_mix2(h, g->m->sites.v[j->site - 1].key);
    /* ports on the loopback are drawn anew in each run */
    h = mh_hash_bytes(h, peer, loopback ? 0 : colon ? strlen(peer) : host);
    for (const struct mh_judgement *i = g->judgements.v; i < j; i++)
        if (i->rule == j->rule && i->site == j->site && loopback)
            h = mh_mix(h);
    snprintf(ret, 13, "%012llx", (unsigned long long)(mh_mix(h) >> 16));
}

static json_t *frame_json(const struct mh_grading *g, const struct mh_frame *f)
{
    return json_pack("{s:o, s:o, s:o}", "function", mh_json_text(mh_model_text(g->m, f->function)),
                     "file", mh_json_text_or_null(mh_model_file(g->m, f->file)), "line",
                     f->line > 0 ? json_integer(f->line) : json_null());
}

/* Frames of machine code of a failure at this peer in a thread that Python does not know. 0: there
 * are none. */
static uint32_t native_stack(const struct mh_grading *g, uint32_t peer)
{
    const struct mh_model *m = g->m;

    for (size_t i = 0; peer && i < m->ops.n; i++) {
        const struct mh_act *a = &m->acts.v[m->ops.v[i].act];

        if (m->ops.v[i].native && !a->stack && a->peer == peer)
            return m->ops.v[i].native;
    }
    return 0;
}

uint32_t mh_document_stack(const struct mh_grading *g, const struct mh_judgement *j)
{
    const struct mh_site *s = j->site ? &g->m->sites.v[j->site - 1] : NULL;
    uint32_t stack = j->stack;

    if (!stack && j->trial)
        stack = g->m->acts.v[g->m->ops.v[g->trials.v[j->trial - 1].op].act].stack;
    if (!stack || (s && g->m->stacks.v[stack - 1].site != j->site))
        stack = s ? s->stack : stack;
    return stack || s ? stack : native_stack(g, j->peer);
}

/* Where there is no site: the application's innermost function, or the innermost one of a library
 * that has a name, or any of it. */
static const struct mh_frame *stack_top(const struct mh_model *m, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;
    const struct mh_site *site = s && s->site ? &m->sites.v[s->site - 1] : NULL;
    const struct mh_frame *any = NULL;

    if (site && site->app)
        return &site->frames[0];
    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (f->kind != MH_FRAME_library)
            continue;
        if (strcmp(mh_model_text(m, f->function), "?") != 0)
            return f;
        any = any ? any : f;
    }
    return any || !s || !s->nframes ? any : &m->frames.v[s->frames];
}

const char *mh_document_site(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    const struct mh_frame *top = site ? NULL : stack_top(g->m, native_stack(g, peer));

    return top ? mh_model_text(g->m, top->function) : mh_name_site(g, site);
}

static json_t *site_json(const struct mh_grading *g, const struct mh_judgement *j)
{
    const struct mh_site *s = j->site ? &g->m->sites.v[j->site - 1] : NULL;
    uint32_t number = mh_document_stack(g, j);
    json_t *stack = json_array();
    const struct mh_frame *top = !s ? stack_top(g->m, number) : s->nframes ? &s->frames[0] : NULL;

    if (number) {
        const struct mh_stack *k = &g->m->stacks.v[number - 1];

        for (uint32_t i = 0; i < k->nframes; i++) {
            const struct mh_frame *f = &g->m->frames.v[k->frames + i];

            json_array_append_new(stack, frame_json(g, f));
            if (top && f->function == top->function && f->file == top->file &&
                (!j->site || k->site == j->site)) {
                top = f; /* with the line of this very stack */
                s = NULL;
            }
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "function",
                     top ? mh_json_text(mh_model_text(g->m, top->function)) : json_null(), "file",
                     top ? mh_json_text_or_null(mh_model_file(g->m, top->file)) : json_null(),
                     "line", top && top->line > 0 ? json_integer(top->line) : json_null(), "stack",
                     stack);
}

/* The command that repeats it, where how the run was started is known. */
static json_t *replay_json(const struct mh_grading *g, const char *id)
{
    char *text;
    json_t *ret;

    if (!g->options->run_dir || !g->options->repeatable ||
        asprintf(&text, "mishap replay %s %s", g->options->run_dir, id) < 0)
        return json_null();
    ret = mh_json_text(text);
    free(text);
    return ret;
}

/* The fault that it came from: the example's, else the only one that hit that place; 0: several, or
 * none. */
static int32_t fault_of(const struct mh_grading *g, const struct mh_judgement *j)
{
    int32_t fault = 0;

    if (j->trial)
        return g->trials.v[j->trial - 1].fault;
    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];

        if (!t->fault || (j->site && t->site != j->site) || (j->peer && t->peer != j->peer))
            continue;
        if (fault && fault != t->fault)
            return 0;
        fault = t->fault;
    }
    return fault;
}

static json_t *finding_json(const struct mh_grading *g, const struct mh_judgement *j)
{
    const struct mh_trial *t = j->trial ? &g->trials.v[j->trial - 1] : NULL;
    const char *peer = mh_name_peer(g, j->peer);
    char id[13];

    mh_finding_id(g, j, id);
    if (!*peer && t && t->path)
        peer = mh_model_text(g->m, t->path);
    return json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:n, s:b, s:o, s:o, s:o, s:{s:i, s:i}, s:O, s:O, s:o, "
        "s:o, s:o, s:o, s:o, s:s}",
        "id", id, "rule", j->rule->id, "title", j->rule->title, "principle", j->rule->principle,
        "severity", mh_severity_words[j->severity], "type", mh_fragility_names[j->type],
        "confidence", mh_confidence_names[j->confidence], "state", "observed",
        j->observed || !g->m->fired, "site", site_json(g, j), "handler",
        t && t->caught ? frame_json(g, &t->handler) : json_null(), "peer",
        mh_json_text_or_null(peer), "trials", "fired", (int)j->fired, "failed", (int)j->failed,
        "evidence", j->evidence, "counter_evidence", j->counter, "flip",
        mh_json_text_or_null(j->rule->flip), "fix", mh_fix_json(g, j), "points",
        mh_json_number(j->points, 1), "replay", replay_json(g, id), "fault",
        fault_of(g, j) ? mh_json_text(mh_name_fault(g, fault_of(g, j))) : json_null(), "verdict",
        j->verdict == MH_VERDICT_partial ? "partial" : "fail");
}

/* Most severe first, then surest, then what brings most. */
static int compare_finding(const void *a, const void *b)
{
    const struct mh_judgement *x = *(const struct mh_judgement *const *)a;
    const struct mh_judgement *y = *(const struct mh_judgement *const *)b;

    if (x->severity != y->severity)
        return (int)y->severity - (int)x->severity;
    if (x->confidence != y->confidence)
        return (int)y->confidence - (int)x->confidence;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* The worst of each rule first, so that a habit seen at many places does not hide the rest. */
static void first_of_each(const struct mh_judgement **open, size_t n)
{
    size_t firsts = 0;

    for (size_t i = 0; i < n; i++) {
        const struct mh_judgement *j = open[i];
        bool seen = false;

        for (size_t k = 0; k < firsts && !seen; k++)
            seen = open[k]->rule == j->rule;
        if (seen)
            continue;
        memmove(open + firsts + 1, open + firsts, (i - firsts) * sizeof(*open));
        open[firsts++] = j;
    }
}

json_t *mh_document_findings(struct mh_grading *g)
{
    const struct mh_judgement **open = calloc(g->judgements.n + 1, sizeof(*open));
    json_t *list = json_array();
    size_t n = 0;

    for (size_t i = 0; open && i < g->judgements.n; i++)
        if (g->judgements.v[i].verdict == MH_VERDICT_fail ||
            g->judgements.v[i].verdict == MH_VERDICT_partial)
            open[n++] = &g->judgements.v[i];
    if (open) {
        qsort(open, n, sizeof(*open), compare_finding);
        first_of_each(open, n);
    }
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, finding_json(g, open[i]));
    free(open);
    return list;
}

static json_t *verdict_json(const struct mh_rule_row *rule, const char *site, const char *reason,
                            const char *how)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "rule", rule->id, "title", rule->title, "site",
                     site ? mh_json_text(site) : json_null(), "reason", mh_json_text(reason), "how",
                     how ? mh_json_text(how) : json_null());
}

/* With the id that a finding of this judgement would have, by which runs are compared. */
static json_t *judgement_json(const struct mh_grading *g, const struct mh_judgement *j)
{
    const char *site = j->site   ? mh_name_site(g, j->site)
                       : j->peer ? mh_name_peer(g, j->peer)
                                 : NULL;
    json_t *one = verdict_json(j->rule, site, j->reason ? j->reason : "", j->how);
    char id[13];

    mh_finding_id(g, j, id);
    json_object_set_new(one, "id", json_string(id));
    return one;
}

json_t *mh_document_verdicts(const struct mh_grading *g, enum mh_verdict_kind verdict)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->judgements.n; i++) {
        const struct mh_judgement *j = &g->judgements.v[i];

        if (j->verdict == verdict)
            json_array_append_new(list, judgement_json(g, j));
    }
    for (size_t i = 0; verdict == MH_VERDICT_not_exercised && i < mh_rule_count; i++)
        if (!mh_rule_rows[i].judge && mh_rule_applies(g, &mh_rule_rows[i]))
            json_array_append_new(list,
                                  verdict_json(&mh_rule_rows[i], NULL, "not built yet", NULL));
    return list;
}

static const char *why_not(const struct mh_grading *g, uint32_t needs)
{
    static const struct {
        enum mh_fact fact;
        const char *why;
    } rows[] = {
        {MH_FACT_peers, "the application calls nobody"},
        {MH_FACT_server, "no inbound request was seen"},
        {MH_FACT_optional, "no cache and no telemetry peer was seen"},
        {MH_FACT_http_peer, "no HTTP peer was seen"},
        {MH_FACT_queue, "no broker was seen"},
        {MH_FACT_telemetry, "no telemetry peer was seen"},
        {MH_FACT_files, "no file was opened for writing"},
        {MH_FACT_loop, "no event loop serves requests"},
        {MH_FACT_fork, "no forked process calls anybody"},
        {MH_FACT_workers, "one process answers all requests"},
        {MH_FACT_dns, "no name was looked up"},
        {MH_FACT_pool, "no connection was used twice"},
        {MH_FACT_busy_peer, "fewer than 30 requests need a peer"},
        {MH_FACT_probe, "no health route was asked"},
        {MH_FACT_chain, "only one service was recorded"},
        {MH_FACT_threads, "one thread makes all calls"},
        {MH_FACT_crowd, "fewer than five processes call out"},
        {MH_FACT_tasks, "no run of a task was seen"},
        {MH_FACT_outside, "the application calls nobody and writes no file"},
        {MH_FACT_endpoints, "no two peers were asked the same"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (needs & rows[i].fact & ~(g->facts | g->unsure))
            return rows[i].why;
    return "does not exist here";
}

json_t *mh_document_not_applicable(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mh_rule_count; i++)
        if (!mh_rule_applies(g, &mh_rule_rows[i]))
            json_array_append_new(list, verdict_json(&mh_rule_rows[i], NULL,
                                                     why_not(g, mh_rule_rows[i].needs), NULL));
    return list;
}

int mh_document_make(struct mh_grading *g, json_t **ret)
{
    json_t *d = json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "schema_version", 1, "run", mh_document_run(g), "score", mh_document_score(g), "outcomes",
        mh_document_outcomes(g), "cases", mh_document_cases(g), "findings", mh_document_findings(g),
        "passed", mh_document_verdicts(g, MH_VERDICT_pass), "not_exercised",
        mh_document_verdicts(g, MH_VERDICT_not_exercised), "not_applicable",
        mh_document_not_applicable(g), "unclear", mh_document_verdicts(g, MH_VERDICT_unclear),
        "peers", mh_document_peers(g), "processes", mh_document_processes(g), "blind_spots",
        mh_document_blind_spots(g), "journeys", mh_document_journeys(g), "routes",
        mh_document_routes(g), "timeline", mh_document_timeline(g), "units", mh_document_units(g));

    if (!d)
        return -ENOMEM;
    *ret = d;
    return 0;
}
