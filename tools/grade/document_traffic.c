/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: what became of the faults, and the traffic they met; see document.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grade/document.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

/* "delay 200 ms", "error ECONNRESET" */
static const char *effect_text(const struct mh_grading *g, const struct mh_case *c, char *buf,
                               size_t size)
{
    const struct mh_fault_seen *f = c->fault ? &g->m->faults.v[c->fault - 1] : NULL;
    const char *err = mh_name_err(MH_OP_recv, c->err);

    if (c->err < 0)
        err = mh_name_err(MH_OP_getaddrinfo, c->err);
    if (err)
        snprintf(buf, size, "error %s", err);
    else if (c->effect - 1 == MH_EFFECT_delay && f)
        snprintf(buf, size, "delay %s", MH_SPAN(f->delay));
    else if (c->effect > 0 && c->effect <= MH_EFFECT_COUNT)
        snprintf(buf, size, "%s", mh_effect_rows[c->effect - 1].name);
    else
        snprintf(buf, size, "failure");
    return buf;
}

/* The worst that a majority of the trials shows: half of them are as bad or worse. */
static json_t *case_outcome(const struct mh_case *c)
{
    unsigned known = 0, sum = 0;
    static const enum mh_outcome worst_first[] = {
        MH_OUTCOME_collapsed, MH_OUTCOME_silent,   MH_OUTCOME_hung,    MH_OUTCOME_broke,
        MH_OUTCOME_refused,   MH_OUTCOME_degraded, MH_OUTCOME_absorbed};

    for (int i = 0; i < MH_OUTCOME_COUNT; i++)
        known += c->outcomes[i];
    for (size_t i = 0; known && i < ARRAY_SIZE(worst_first); i++) {
        sum += c->outcomes[worst_first[i]];
        if (2 * sum >= known)
            return json_string(mh_outcome_words[worst_first[i]]);
    }
    return json_null();
}

json_t *mh_document_cases(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->cases.n; i++) {
        const struct mh_case *c = &g->cases.v[i];
        const char *peer = c->peer ? mh_name_peer(g, c->peer) : mh_model_text(g->m, c->path);
        char effect[80], id[16];

        snprintf(id, sizeof(id), "%010llx", (unsigned long long)(c->key >> 24));
        json_array_append_new(
            list,
            json_pack(
                "{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:o}", "id", id, "site",
                mh_json_text(mh_document_site(g, c->site, c->peer)), "fault",
                mh_json_text(mh_name_fault(g, c->fault)), "effect",
                effect_text(g, c, effect, sizeof(effect)), "peer", mh_json_text_or_null(peer),
                "shape", c->fault ? json_string(c->one_shot ? "one-shot" : "window") : json_null(),
                "outcome", case_outcome(c), "fired", (int)c->fired, "route",
                c->route ? mh_json_text(mh_model_text(g->m, g->m->routes.v[c->route - 1].name))
                         : json_null()));
    }
    return list;
}

static void example_text(const struct mh_grading *g, const struct mh_trial *t, char *buf,
                         size_t size)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const char *peer = t->peer ? mh_name_peer(g, t->peer) : mh_model_text(g->m, t->path);
    const char *err = mh_name_err(t->kind, t->err), *type = mh_model_text(g->m, t->type_last);
    char end[120];

    switch (t->outcome) {
    case MH_OUTCOME_broke:
        if (u->kind == MH_UNIT_websocket)
            snprintf(end, sizeof(end), "the WebSocket was closed");
        else if (u->command)
            snprintf(end, sizeof(end), "the command failed");
        else if (u->status)
            snprintf(end, sizeof(end), "%s became %d", *type ? type : "it", (int)u->status);
        else
            snprintf(end, sizeof(end), "%s, and no answer", *type ? type : "cut");
        break;
    case MH_OUTCOME_refused:
        snprintf(end, sizeof(end), "%d in %s", (int)u->status, MH_SPAN(u->latency));
        break;
    case MH_OUTCOME_hung:
        snprintf(end, sizeof(end), u->open ? "no answer within %s" : "answered after %s",
                 MH_SPAN(u->latency));
        break;
    case MH_OUTCOME_degraded:
        snprintf(end, sizeof(end), "answered %d with another body", (int)u->status);
        break;
    case MH_OUTCOME_silent:
        snprintf(end, sizeof(end), "caught, nothing logged, answered %d", (int)u->status);
        break;
    case MH_OUTCOME_collapsed:
        snprintf(end, sizeof(end), "the process ended");
        break;
    default:
        snprintf(end, sizeof(end),
                 t->error && t->retry_ok ? "tried again, answered in %s"
                                         : "went on, answered in %s",
                 MH_SPAN(u->latency));
    }
    snprintf(buf, size, "%s  %s %s, %s", mh_name_route(g, t->unit), peer,
             err                                ? err
             : t->effect - 1 == MH_EFFECT_delay ? "slow"
                                                : "fault",
             end);
}

json_t *mh_document_outcomes(const struct mh_grading *g)
{
    json_t *o = json_object();

    for (int i = 0; i < MH_OUTCOME_COUNT; i++) {
        const struct mh_trial *worst = NULL;
        json_int_t n = 0;
        char text[400] = "";

        for (size_t k = 0; k < g->trials.n; k++) {
            const struct mh_trial *t = &g->trials.v[k];

            if ((int)t->outcome != i || !t->fault)
                continue;
            n++;
            if (!worst ||
                mh_grading_unit(g, t->unit)->latency > mh_grading_unit(g, worst->unit)->latency)
                worst = t;
        }
        if (worst)
            example_text(g, worst, text, sizeof(text));
        json_object_set_new(
            o, mh_outcome_words[i],
            json_pack("{s:I, s:o}", "count", n, "example", mh_json_text_or_null(text)));
    }
    return o;
}

struct journey {
    const struct mh_trial *example;
    json_int_t count;
};

static uint64_t journey_key(const struct mh_grading *g, const struct mh_trial *t)
{
    uint64_t key = mh_mix2(mh_mix2(t->kind, t->peer), mh_mix2((uint64_t)t->err, t->fault != 0));

    key = mh_mix2(key, mh_mix2(t->type_born, t->type_last));
    if (t->caught)
        key = mh_mix2(key, mh_mix2(t->handler.function, (uint64_t)t->handler.line));
    if (t->lost)
        key = mh_mix2(key + 1, mh_mix2(t->lost_in.function, (uint64_t)t->lost_in.line));
    return mh_mix2(mh_mix2(key, t->path), (uint64_t)mh_grading_unit(g, t->unit)->status);
}

static json_t *journey_json(const struct mh_grading *g, const struct journey *j)
{
    const struct mh_trial *t = j->example;
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const char *peer = t->peer ? mh_name_peer(g, t->peer) : mh_model_text(g->m, t->path);
    const char *born = mh_model_text(g->m, t->type_born), *last = mh_model_text(g->m, t->type_last);
    const char *err = mh_name_err(t->kind, t->err);
    char operation[400], exception[400], frame[400], handler[420] = "";

    snprintf(operation, sizeof(operation), "%s %s", mh_op_rows[t->kind].name, peer);
    if (strcmp(born, last))
        snprintf(exception, sizeof(exception), "%s > %s", born, last);
    else
        snprintf(exception, sizeof(exception), "%s", born);
    if (t->caught || t->lost)
        snprintf(handler, sizeof(handler), t->lost ? "nobody: lost in %s" : "%s",
                 mh_name_frame(g, t->lost ? &t->lost_in : &t->handler, frame, sizeof(frame)));
    return json_pack(
        "{s:o, s:o, s:b, s:o, s:o, s:o, s:I}", "operation", mh_json_text(operation), "errno",
        err ? json_string(err) : json_null(), "injected", t->fault != 0, "exception",
        mh_json_text_or_null(exception), "handler", mh_json_text_or_null(handler), "status",
        u->status && !u->command ? json_integer(u->status) : json_null(), "count", j->count);
}

static int compare_journey(const void *a, const void *b)
{
    const struct journey *x = a, *y = b;

    return x->count < y->count ? 1 : x->count > y->count ? -1 : x->example < y->example ? -1 : 1;
}

json_t *mh_document_journeys(const struct mh_grading *g)
{
    MH_VEC(struct journey) journeys = {0};
    struct mh_map keys = {0};
    json_t *list = json_array();

    for (size_t i = 0; i < g->trials.n; i++) {
        uint64_t key = journey_key(g, &g->trials.v[i]);
        uint32_t have = mh_map_get(&keys, key);

        if (have == MH_MAP_NONE) {
            struct journey *j = mh_vec_add(&journeys);

            have = (uint32_t)journeys.n - 1;
            if (!j || mh_map_set(&keys, key, have))
                break;
            j->example = &g->trials.v[i];
        }
        journeys.v[have].count++;
    }
    if (journeys.n)
        qsort(journeys.v, journeys.n, sizeof(*journeys.v), compare_journey);
    for (size_t i = 0; i < journeys.n; i++)
        json_array_append_new(list, journey_json(g, &journeys.v[i]));
    free(journeys.v);
    mh_map_done(&keys);
    return list;
}

static json_t *traffic_json(int64_t *latencies, size_t n, unsigned errors)
{
    if (!n)
        return json_null();
    qsort(latencies, n, sizeof(*latencies), mh_compare_int64);
    return json_pack("{s:I, s:o, s:o, s:o, s:i}", "count", (json_int_t)n, "p50_ms",
                     mh_json_number((double)mh_quantile(latencies, n, 0.5) / 1e6, 2), "p95_ms",
                     mh_json_number((double)mh_quantile(latencies, n, 0.95) / 1e6, 2), "p99_ms",
                     mh_json_number((double)mh_quantile(latencies, n, 0.99) / 1e6, 2), "errors",
                     (int)errors);
}

static json_t *route_traffic(const struct mh_grading *g, uint32_t route, bool calm, int64_t *space)
{
    unsigned errors = 0;
    size_t n = 0;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        bool in = calm ? u->calm
                       : !u->calm && (u->faulted || mh_model_fault_active(g->m, u->begun) ||
                                      mh_model_fault_active(g->m, u->ended));

        if (u->route != route || !in)
            continue;
        space[n++] = u->latency;
        errors += mh_unit_failed(u) || u->open;
    }
    return traffic_json(space, n, errors);
}

json_t *mh_document_routes(const struct mh_grading *g)
{
    int64_t *space = calloc(g->m->units.n + 1, sizeof(*space));
    json_t *list = json_array();

    for (uint32_t i = 1; space && i <= g->m->routes.n; i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o}", "route",
                            mh_json_text(mh_model_text(g->m, g->m->routes.v[i - 1].name)), "calm",
                            route_traffic(g, i, true, space), "fault",
                            route_traffic(g, i, false, space)));
    free(space);
    return list;
}

static double since(const struct mh_grading *g, int64_t at)
{
    double s = (double)(at - g->m->first) / 1e9;

    return s > 0 ? s : 0;
}

static json_t *phases(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->m->phases.n; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];
        int64_t end = p->end && p->end < g->m->last ? p->end : g->m->last;
        json_t *faults = json_array();

        for (size_t k = 0; k < p->faults.n; k++)
            json_array_append_new(faults, mh_json_text(mh_name_fault(g, (int32_t)p->faults.v[k])));
        if (p->start < g->m->last)
            json_array_append_new(list,
                                  json_pack("{s:o, s:o, s:o, s:o}", "name",
                                            mh_json_text(mh_model_text(g->m, p->name)), "start_s",
                                            mh_json_number(since(g, p->start), 2), "end_s",
                                            mh_json_number(since(g, end), 2), "faults", faults));
        else
            json_decref(faults);
    }
    return list;
}

struct ended {
    int64_t second, latency;
    bool error;
};

static int compare_ended(const void *a, const void *b)
{
    const struct ended *x = a, *y = b;

    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    return x->latency < y->latency ? -1 : x->latency > y->latency;
}

static json_t *seconds(const struct mh_grading *g)
{
    struct ended *all = calloc(g->m->units.n + 1, sizeof(*all));
    json_t *list = json_array();
    size_t n = 0;

    for (size_t i = 0; all && i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->open || u->command || g->m->processes.v[u->process].baseline ||
            u->ended < g->m->first)
            continue;
        all[n++] = (struct ended){(u->ended - g->m->first) / second, u->latency, mh_unit_failed(u)};
    }
    if (n)
        qsort(all, n, sizeof(*all), compare_ended);
    for (size_t i = 0, k; i < n; i = k) {
        int errors = 0;

        for (k = i; k < n && all[k].second == all[i].second; k++)
            errors += all[k].error;
        json_array_append_new(
            list,
            json_pack("{s:I, s:i, s:i, s:o}", "t", (json_int_t)all[i].second, "requests",
                      (int)(k - i), "errors", errors, "p95_ms",
                      mh_json_number(
                          (double)all[i + (size_t)(0.95 * (double)(k - i))].latency / 1e6, 2)));
    }
    free(all);
    return list;
}

json_t *mh_document_timeline(const struct mh_grading *g)
{
    return json_pack("{s:o, s:o}", "phases", phases(g), "seconds", seconds(g));
}
