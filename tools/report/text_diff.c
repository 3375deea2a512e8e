/* SPDX-License-Identifier: Apache-2.0 */
/* What the terminal says of an earlier run: a line under a report, and two runs side by side. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/doc.h"
#include "report/table.h"
#include "report/text.h"
#include "report/trend.h"

#include "base/banned.h"

static void put_counts(struct mh_term *t, const json_t *comparison)
{
    const struct {
        const char *word;
        long long n;
        enum mh_style style;
    } rows[] = {
        {MH_TEXT("new"), mh_doc_int(comparison, "new"), MH_RED},
        {MH_TEXT("worse"), mh_doc_int(comparison, "worse"), MH_RED},
        {MH_TEXT("fixed"), (long long)json_array_size(json_object_get(comparison, "fixed")),
         MH_GREEN},
        {MH_TEXT("unchanged"), mh_doc_int(comparison, "unchanged"), MH_PLAIN},
        {MH_TEXT("not re-tested"),
         (long long)json_array_size(json_object_get(comparison, "not_retested")), MH_YELLOW},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        mh_term_printf(t, rows[i].n ? rows[i].style : MH_DIM, "%s%lld %s", i ? ", " : "", rows[i].n,
                       MH_TR(t->out, rows[i].word));
    mh_term_end(t);
}

static void put_lost(struct mh_term *t, const json_t *comparison)
{
    const json_t *lost = json_object_get(comparison, "lost_faults"), *fault;
    char text[512] = "";
    size_t i, len = 0;

    json_array_foreach(lost, i, fault)
    {
        if (len < sizeof(text))
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "",
                                    json_string_value(fault) ? json_string_value(fault) : "");
    }
    if (!len)
        return;
    mh_term_put(t, MH_YELLOW, MH_TR(t->out, " Fired then and not now: "));
    mh_term_wrap(t, MH_PLAIN, text, 11, 3);
}

static void put_waivers(struct mh_term *t, const json_t *document)
{
    const json_t *findings = json_object_get(document, "findings"), *one;
    size_t waived = 0, expired = 0, unused, i;

    json_array_foreach(findings, i, one)
    {
        const json_t *waiver = json_object_get(one, "waiver");

        waived += waiver != NULL;
        expired += mh_doc_true(waiver, "expired");
    }
    unused = json_array_size(json_object_get(document, "unused_waivers"));
    if (!waived && !unused)
        return;
    mh_term_printf(t, MH_PLAIN, MH_TR(t->out, " Waived %zu"), waived - expired);
    if (expired)
        mh_term_printf(t, MH_RED, MH_TR(t->out, ", %zu expired"), expired);
    if (unused)
        mh_term_printf(t, MH_DIM, MH_TR(t->out, ", %zu of the file not found here"), unused);
    mh_term_end(t);
}

static void put_trend(struct mh_term *t, const json_t *document)
{
    struct mh_trend trend;

    mh_trend_read(document, t->out->lang, &trend);
    if (!trend.n)
        return;
    mh_term_put(t, MH_PLAIN, MH_TR(t->out, " Trend: "));
    for (int i = 0; i < trend.n; i++)
        mh_term_glyph(t, mh_text_grade_style(trend.grades[i]), mh_trend_bar(trend.points[i]),
                      mh_trend_digit(trend.points[i]), 1);
    mh_term_put(t, MH_PLAIN, "  ");
    mh_term_put(t, MH_PLAIN, trend.says);
    mh_term_end(t);
}

void mh_text_comparison(struct mh_term *t, const json_t *document)
{
    const json_t *comparison = json_object_get(document, "comparison");

    if (comparison) {
        mh_term_put(t, MH_PLAIN, MH_TR(t->out, " Baseline: "));
        put_counts(t, comparison);
        put_lost(t, comparison);
    }
    put_trend(t, document);
    put_waivers(t, document);
}

/* ---- mishap diff ---- */

static void put_number(struct mh_table *table, const json_t *object, const char *key, double scale,
                       const char *unit)
{
    if (mh_doc_known(object, key))
        mh_table_printf(table, "%lld%s", mh_doc_rounded(object, key, scale), unit);
    else
        mh_table_text(table, "?");
}

static void put_change(struct mh_table *table, const json_t *a, const json_t *b, const char *key,
                       double scale)
{
    long long change = mh_doc_rounded(b, key, scale) - mh_doc_rounded(a, key, scale);

    if (!mh_doc_known(a, key) || !mh_doc_known(b, key) || !change)
        mh_table_text(table, "");
    else
        mh_table_printf(table, "%+lld", change);
}

static void put_row(struct mh_table *table, const char *name, const json_t *a, const json_t *b,
                    const char *key, double scale, const char *unit)
{
    mh_table_text(table, name);
    put_number(table, a, key, scale, unit);
    put_number(table, b, key, scale, unit);
    put_change(table, a, b, key, scale);
}

static int put_scores(struct mh_term *t, const json_t *then, const json_t *now)
{
    static const struct mh_table_column columns[] = {
        {"", 30, false}, {"then", 10, true}, {"now", 10, true}, {"change", 8, true}};
    const json_t *a = json_object_get(then, "score"), *b = json_object_get(now, "score"), *one;
    struct mh_table *table = mh_table_new(t, columns, ARRAY_SIZE(columns));
    size_t i;

    if (!table)
        return -ENOMEM;
    mh_table_text(table, "grade");
    mh_table_text(table, mh_doc_text(a, "grade"));
    mh_table_text(table, mh_doc_text(b, "grade"));
    mh_table_text(table, "");
    put_row(table, "points", a, b, "points", 1, "");
    put_row(table, "evidence", a, b, "evidence", 100, " %");
    put_row(table, "survival index", a, b, "survival_index", 100, " %");
    json_array_foreach(json_object_get(b, "principles"), i, one)
    {
        char name[64];

        snprintf(name, sizeof(name), "%2lld %s", mh_doc_int(one, "number"),
                 mh_doc_text(one, "name"));
        put_row(table, name, json_array_get(json_object_get(a, "principles"), i), one, "score", 1,
                "");
    }
    return mh_table_finish(table, t);
}

static void put_past(struct mh_term *t, const char *heading, const json_t *list)
{
    const json_t *one;
    size_t i;

    if (!json_array_size(list))
        return;
    mh_term_end(t);
    mh_term_printf(t, MH_BOLD, " %s (%zu)", heading, json_array_size(list));
    mh_term_end(t);
    json_array_foreach(list, i, one)
    {
        const char *peer = mh_doc_text(one, "peer"), *reason = mh_doc_text(one, "reason");
        char where[512];

        mh_term_printf(t, mh_text_severity_style(mh_doc_text(one, "severity")), "  [%s] ",
                       mh_doc_text(one, "severity"));
        mh_term_printf(t, MH_BOLD, "%s ", mh_doc_text(one, "rule"));
        mh_term_cut(t, MH_PLAIN, mh_doc_text(one, "title"), t->width - t->column);
        mh_term_end(t);
        snprintf(where, sizeof(where), "%s%s%s%s%s", mh_doc_text(one, "function"),
                 *peer ? " -> " : "", peer, *reason ? ": " : "", reason);
        mh_term_to(t, 4);
        mh_term_cut_middle(t, MH_DIM, where, t->width - 4);
        mh_term_end(t);
    }
}

static void put_state(struct mh_term *t, const char *heading, const json_t *findings,
                      const char *state)
{
    size_t n = mh_doc_count(findings, "state", state), i;
    const json_t *one;

    if (!n)
        return;
    mh_term_end(t);
    mh_term_printf(t, MH_BOLD, " %s (%zu)", heading, n);
    mh_term_end(t);
    json_array_foreach(findings, i, one)
    {
        if (strcmp(mh_doc_text(one, "state"), state) != 0)
            continue;
        mh_text_finding_head(t, one);
        mh_text_finding_site(t, one);
    }
}

int mh_text_diff(const json_t *then, const json_t *now, const char *const names[2],
                 const struct mh_report_options *options, struct mh_out *out)
{
    const json_t *comparison = json_object_get(now, "comparison");
    const json_t *findings = json_object_get(now, "findings");
    struct mh_term t;
    int r;

    mh_term_init(&t, out, options);
    mh_term_put(&t, MH_PLAIN, " ");
    mh_term_cut_middle(&t, MH_BOLD, names[0], 36);
    mh_term_put(&t, MH_PLAIN, " -> ");
    mh_term_cut_middle(&t, MH_BOLD, names[1], 36);
    mh_term_end(&t);
    mh_term_end(&t);
    r = put_scores(&t, then, now);
    mh_term_end(&t);
    mh_term_put(&t, MH_PLAIN, " ");
    put_counts(&t, comparison);
    put_lost(&t, comparison);
    put_state(&t, "New", findings, "new");
    put_state(&t, "Worse", findings, "worse");
    put_past(&t, "Fixed", json_object_get(comparison, "fixed"));
    put_past(&t, "Not re-tested", json_object_get(comparison, "not_retested"));
    return r;
}
