/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal report beyond its first screen (-v). */
#include <stdio.h>
#include <string.h>

#include "report/doc.h"
#include "report/table.h"
#include "report/text.h"

#include "base/banned.h"

static void put_heading(struct mh_term *t, const char *text, size_t n)
{
    if (t->out->len < 2 || strcmp(t->out->data + t->out->len - 2, "\n\n") != 0)
        mh_term_end(t);
    mh_term_printf(t, MH_BOLD, " %s", MH_TR(t->out, text));
    if (n)
        mh_term_printf(t, MH_DIM, " (%zu)", n);
    mh_term_end(t);
}

static bool is_frame(const json_t *frame, const json_t *handler)
{
    return json_is_object(handler) &&
           !strcmp(mh_doc_text(frame, "function"), mh_doc_text(handler, "function")) &&
           !strcmp(mh_doc_text(frame, "file"), mh_doc_text(handler, "file"));
}

static void put_frame(struct mh_term *t, const json_t *frame, const char *mark)
{
    char where[512];

    mh_term_to(t, 11);
    snprintf(where, sizeof(where), "%s:%lld", mh_doc_text(frame, "file"),
             mh_doc_int(frame, "line"));
    mh_term_cut_middle(t, MH_PLAIN, mh_doc_text(frame, "function"), 32);
    mh_term_to(t, 44);
    mh_term_cut_middle(t, MH_DIM, where, t->width - t->column - mh_term_columns(t, mark));
    mh_term_put(t, MH_YELLOW, mark);
    mh_term_end(t);
}

static void put_stack(struct mh_term *t, const json_t *finding)
{
    const json_t *handler = json_object_get(finding, "handler"), *frame;
    const json_t *stack = mh_doc_at(finding, "site.stack");
    bool marked = false;
    char caught[64];
    size_t i;

    if (json_array_size(stack))
        mh_text_labelled(t, MH_TEXT("stack"), MH_TR(t->out, "innermost first"), 1);
    snprintf(caught, sizeof(caught), MH_TR(t->out, " <- caught, line %lld"),
             mh_doc_int(handler, "line"));
    json_array_foreach(stack, i, frame)
    {
        bool here = is_frame(frame, handler);

        put_frame(t, frame, here && !marked ? caught : "");
        marked = marked || here;
    }
    if (json_is_object(handler) && !marked) {
        mh_text_labelled(t, MH_TEXT("caught"),
                         MH_TR(t->out, "in a frame that is not on this stack:"), 1);
        put_frame(t, handler, "");
    }
}

static void put_list(struct mh_term *t, const char *label, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);

        if (text && *text)
            mh_text_labelled(t, i ? "" : label, text, 20);
    }
}

static void put_finding(struct mh_term *t, const json_t *finding)
{
    const json_t *fix = json_object_get(finding, "fix");

    mh_text_finding_head(t, finding);
    mh_text_finding_site(t, finding);
    put_list(t, MH_TEXT("saw"), json_object_get(finding, "evidence"));
    put_list(t, MH_TEXT("but"), json_object_get(finding, "counter_evidence"));
    put_stack(t, finding);
    mh_text_labelled(t, MH_TEXT("fix"), mh_doc_text(fix, "text"), 20);
    mh_term_lines(t, MH_GREEN, mh_doc_text(fix, "code"), 11);
    mh_text_labelled(t, MH_TEXT("flips"), mh_doc_text(finding, "flip"), 20);
    if (mh_doc_number(finding, "points", 0) >= 0.05) {
        mh_term_to(t, 3);
        mh_term_put(t, MH_DIM, MH_TR(t->out, "worth"));
        mh_term_to(t, 11);
        mh_term_printf(t, MH_PLAIN, MH_TR(t->out, "+%.1f points"),
                       mh_doc_number(finding, "points", 0));
        mh_term_end(t);
    }
    mh_text_labelled(t, MH_TEXT("replay"), mh_doc_text(finding, "replay"), 20);
    mh_term_end(t);
}

static void put_verdicts(struct mh_term *t, const char *heading, const json_t *list)
{
    const json_t *one;
    size_t i;

    if (!json_array_size(list))
        return;
    put_heading(t, heading, json_array_size(list));
    json_array_foreach(list, i, one)
    {
        mh_term_to(t, 2);
        mh_term_put(t, MH_BOLD, mh_doc_text(one, "rule"));
        mh_term_put(t, MH_PLAIN, " ");
        mh_term_cut(t, MH_PLAIN, mh_doc_text(one, "title"), 34);
        if (*mh_doc_text(one, "site")) {
            mh_term_put(t, MH_PLAIN, "  ");
            mh_term_cut_middle(t, MH_DIM, mh_doc_text(one, "site"), t->width - t->column);
        }
        mh_term_end(t);
        mh_term_wrap(t, MH_PLAIN, mh_doc_text(one, "reason"), 10, 4);
        if (*mh_doc_text(one, "how"))
            mh_term_wrap(t, MH_DIM, mh_doc_text(one, "how"), 10, 4);
    }
}

static void add_ms(struct mh_table *table, const json_t *traffic, const char *key)
{
    if (mh_doc_known(traffic, key))
        mh_table_printf(table, "%.0f", mh_doc_number(traffic, key, 0));
    else
        mh_table_text(table, "");
}

static void add_traffic(struct mh_table *table, const json_t *traffic)
{
    static const char *const keys[] = {"count", "p50_ms", "p95_ms", "p99_ms", "errors"};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        add_ms(table, traffic, keys[i]);
}

static int put_routes(struct mh_term *t, const json_t *list)
{
    static const struct mh_table_column columns[] = {
        {MH_TEXT("route"), 24},       {MH_TEXT("phase"), 5},        {MH_TEXT("requests"), 8, true},
        {MH_TEXT("p50 ms"), 8, true}, {MH_TEXT("p95 ms"), 8, true}, {MH_TEXT("p99 ms"), 8, true},
        {MH_TEXT("errors"), 6, true}};
    struct mh_table *table;
    const json_t *route;
    size_t i;

    if (!json_array_size(list))
        return 0;
    put_heading(t, MH_TEXT("Routes, calm and under fault"), 0);
    table = mh_table_new(t, columns, ARRAY_SIZE(columns));
    json_array_foreach(list, i, route)
    {
        mh_table_text(table, mh_doc_text(route, "route"));
        mh_table_text(table, MH_TR(t->out, "calm"));
        add_traffic(table, json_object_get(route, "calm"));
        mh_table_text(table, " ");
        mh_table_text(table, MH_TR(t->out, "fault"));
        add_traffic(table, json_object_get(route, "fault"));
    }
    return mh_table_finish(table, t);
}

/* A journey is too long for a row of a table: two lines each. */
static void put_journey(struct mh_term *t, const json_t *one)
{
    const char *error = mh_doc_text(one, "errno"), *exception = mh_doc_text(one, "exception");
    const char *handler = mh_doc_text(one, "handler");

    mh_term_printf(t, MH_BOLD, "%6lld  ", mh_doc_int(one, "count"));
    mh_term_cut_middle(t, MH_PLAIN, mh_doc_text(one, "operation"), 28);
    mh_term_put(t, MH_PLAIN, *error ? ": " : MH_TR(t->out, ": delayed"));
    mh_term_put(t, MH_YELLOW, error);
    mh_term_put(t, MH_PLAIN, mh_doc_true(one, "injected") ? "" : MH_TR(t->out, " (real)"));
    mh_term_put(t, MH_PLAIN, *exception ? " -> " : "");
    mh_term_cut_middle(t, MH_PLAIN, exception, t->width - t->column);
    mh_term_end(t);
    mh_term_to(t, 8);
    if (mh_doc_known(one, "status"))
        mh_term_printf(t, MH_BOLD, "status %lld", mh_doc_int(one, "status"));
    else
        mh_term_put(t, MH_DIM, MH_TR(t->out, "no status"));
    mh_term_put(t, MH_DIM, MH_TR(t->out, *handler ? ", caught by " : ", nobody seen to catch it"));
    mh_term_cut_middle(t, MH_DIM, handler, t->width - t->column);
    mh_term_end(t);
}

static int put_journeys(struct mh_term *t, const json_t *list)
{
    const json_t *one;
    size_t i;

    if (json_array_size(list))
        put_heading(t, MH_TEXT("What became of errors"), 0);
    json_array_foreach(list, i, one) put_journey(t, one);
    return 0;
}

static int put_peers(struct mh_term *t, const json_t *list)
{
    static const struct mh_table_column columns[] = {{MH_TEXT("peer"), 34},
                                                     {MH_TEXT("role"), 10},
                                                     {MH_TEXT("calls"), 8, true},
                                                     {MH_TEXT("faults"), 8, true},
                                                     {MH_TEXT("failures"), 8, true}};
    struct mh_table *table;
    const json_t *one;
    size_t i;

    if (!json_array_size(list))
        return 0;
    put_heading(t, MH_TEXT("Peers"), 0);
    table = mh_table_new(t, columns, ARRAY_SIZE(columns));
    json_array_foreach(list, i, one)
    {
        mh_table_text(table, mh_doc_text(one, "name"));
        mh_table_text(table, mh_doc_text(one, "role"));
        add_ms(table, one, "calls");
        add_ms(table, one, "faults");
        add_ms(table, one, "failures");
    }
    return mh_table_finish(table, t);
}

static int put_processes(struct mh_term *t, const json_t *list)
{
    static const struct mh_table_column columns[] = {{MH_TEXT("pid"), 8, true},
                                                     {MH_TEXT("python"), 10},
                                                     {MH_TEXT("exit"), 5, true},
                                                     {MH_TEXT("command"), 48}};
    struct mh_table *table;
    const json_t *one;
    size_t i;

    if (!json_array_size(list))
        return 0;
    put_heading(t, MH_TEXT("Processes"), 0);
    table = mh_table_new(t, columns, ARRAY_SIZE(columns));
    json_array_foreach(list, i, one)
    {
        mh_table_printf(table, "%lld", mh_doc_int(one, "pid"));
        mh_table_text(table, mh_doc_text(one, "python"));
        add_ms(table, one, "exit");
        mh_table_text(table, mh_doc_text(one, "command"));
    }
    return mh_table_finish(table, t);
}

static void put_method(struct mh_term *t, const json_t *document)
{
    const json_t *one;
    size_t i;

    put_heading(t, MH_TEXT("Evidence"), 0);
    json_array_foreach(mh_doc_at(document, "run.tiers"), i, one)
    {
        bool there = mh_doc_true(one, "available");

        mh_term_printf(t, there ? MH_GREEN : MH_MAGENTA, "  %-8s",
                       MH_TR(t->out, there ? "yes" : "no"));
        mh_term_printf(t, MH_PLAIN, "%s ", mh_doc_text(one, "tier"));
        mh_term_cut(t, MH_PLAIN, mh_doc_text(one, "name"), 22);
        mh_term_to(t, 36);
        mh_term_put(t, MH_DIM, mh_doc_text(one, "note"));
        mh_term_end(t);
    }
    if (json_array_size(json_object_get(document, "blind_spots")))
        put_heading(t, MH_TEXT("Blind spots"), 0);
    json_array_foreach(json_object_get(document, "blind_spots"), i, one)
    {
        const char *text = json_string_value(one);

        mh_term_wrap(t, MH_PLAIN, text ? text : "", 2, 4);
    }
    mh_term_end(t);
}

int mh_text_more(struct mh_term *t, const json_t *document)
{
    static int (*const tables[])(struct mh_term *, const json_t *) = {put_routes, put_journeys,
                                                                      put_peers, put_processes};
    static const char *const lists[] = {"routes", "journeys", "peers", "processes"};
    const json_t *findings = json_object_get(document, "findings"), *finding;
    size_t i;

    put_heading(t, MH_TEXT("Findings"), json_array_size(findings));
    json_array_foreach(findings, i, finding) put_finding(t, finding);
    put_verdicts(t, MH_TEXT("Passed"), json_object_get(document, "passed"));
    put_verdicts(t, MH_TEXT("Not exercised"), json_object_get(document, "not_exercised"));
    put_verdicts(t, MH_TEXT("Not applicable"), json_object_get(document, "not_applicable"));
    put_verdicts(t, MH_TEXT("Unclear"), json_object_get(document, "unclear"));
    for (i = 0; i < ARRAY_SIZE(tables); i++) {
        int r = tables[i](t, json_object_get(document, lists[i]));

        if (r < 0)
            return r;
    }
    put_method(t, document);
    return 0;
}
