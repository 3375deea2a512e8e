/* SPDX-License-Identifier: Apache-2.0 */
/* For a pull request or a job summary: the grade, the first findings, the rest folded away. Kept
 * below the size that such places accept. */
#include <stdio.h>
#include <string.h>

#include "report/doc.h"
#include "report/report.h"
#include "report/trend.h"
#include "report/utf8.h"

#include "base/banned.h"

#define ROOM (50 * 1024) /* for findings; the whole stays below 60 kB */
#define OPEN 5           /* findings shown unfolded */

/* Names come from other people's programs: they must neither format, nor link, nor ping anybody. At
 * most so many characters, so that one text cannot fill the page. */
static void put(struct mh_out *out, const char *text, int characters)
{
    static const char special[] = "\\`*_[]<>&|~@#\"";
    int n;

    for (; *text; text += n) {
        uint32_t code = mh_utf8_next(text, &n);

        if (!characters--) {
            mh_out_add(out, " ...");
            return;
        }
        if (!mh_utf8_harmless(code))
            mh_out_add(out, " ");
        else if ((n == 1 && strchr(special, *text)) || !strncmp(text, "://", 3))
            mh_out_printf(out, "&#%d;", *text);
        else
            mh_out_add_n(out, text, (size_t)n);
    }
}

/* Where it was built is nobody's business: of an absolute path only the name is shown. */
static const char *relative(const char *path)
{
    const char *slash = *path == '/' ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static void put_head(struct mh_out *out, const json_t *document)
{
    const json_t *score = json_object_get(document, "score"), *cap;
    size_t i;

    mh_out_add(out, MH_TR(out, "## mishap: grade "));
    put(out, mh_doc_text(score, "grade"), 8);
    if (mh_doc_known(score, "points"))
        mh_out_printf(out, MH_TR(out, ", %lld of 100"), mh_doc_rounded(score, "points", 1));
    mh_out_add(out, "\n\n");
    mh_out_printf(out, MH_TR(out, "Evidence %lld %%; the true score is between %lld and %lld."),
                  mh_doc_rounded(score, "evidence", 100), mh_doc_rounded(score, "low", 1),
                  mh_doc_rounded(score, "high", 1));
    json_array_foreach(json_object_get(score, "caps"), i, cap)
    {
        if (strcmp(mh_doc_text(cap, "grade"), "NG")) {
            mh_out_add(out, MH_TR(out, " Not better than "));
            put(out, mh_doc_text(cap, "grade"), 8);
            mh_out_add(out, ": ");
        } else {
            mh_out_add(out, MH_TR(out, " No grade: "));
        }
        put(out, mh_doc_text(cap, "reason"), 200);
        mh_out_add(out, ".");
    }
    if (json_is_false(mh_doc_at(document, "run.healthy")))
        mh_out_printf(out, "\n\n**%s** %s",
                      MH_TR(out, "The application was unhealthy with no fault active:"),
                      MH_TR(out, "nothing that faults did is held against it."));
    mh_out_add(out, "\n\n");
}

static void put_outcomes(struct mh_out *out, const json_t *document)
{
    const json_t *outcomes = json_object_get(document, "outcomes");
    long long fired = mh_doc_int(json_object_get(document, "run"), "fired");
    size_t i;

    mh_out_printf(out, MH_TR(out, fired == 1 ? "%lld fault fired." : "%lld faults fired."), fired);
    mh_out_add(out, "\n\n|");
    for (i = 0; mh_outcome_names[i]; i++)
        mh_out_printf(out, " %s |", MH_TR(out, mh_outcome_names[i]));
    mh_out_add(out, "\n|");
    mh_out_repeat(out, " ---: |", (int)i);
    mh_out_add(out, "\n|");
    for (i = 0; mh_outcome_names[i]; i++)
        mh_out_printf(out, " %lld |",
                      mh_doc_int(json_object_get(outcomes, mh_outcome_names[i]), "count"));
    mh_out_add(out, "\n\n");
}

/* A fence longer than any run of backticks within. */
static void put_code(struct mh_out *out, const char *code)
{
    int run = 0, longest = 2, n;

    for (const char *c = code; *c; c++) {
        run = *c == '`' ? run + 1 : 0;
        longest = MH_MAX(longest, run);
    }
    if (!*code || strlen(code) > 4000)
        return;
    mh_out_add(out, "\n");
    mh_out_repeat(out, "`", longest + 1);
    mh_out_add(out, "python\n");
    for (; *code; code += n) {
        uint32_t character = mh_utf8_next(code, &n);
        bool shown = character == '\n' || mh_utf8_harmless(character);

        mh_out_add_n(out, shown ? code : " ", shown ? (size_t)n : 1);
    }
    mh_out_add(out, "\n");
    mh_out_repeat(out, "`", longest + 1);
    mh_out_add(out, "\n");
}

/* The word is the document's: it must be made harmless before it stands in ours. */
static void put_confidence(struct mh_out *out, const char *word)
{
    struct mh_out clean = {.error = 0};

    put(&clean, MH_TR(out, word), 20);
    mh_out_printf(out, MH_TR(out, "%s confidence"), clean.data ? clean.data : "");
    mh_out_done(&clean);
}

static void put_finding(struct mh_out *out, const json_t *finding)
{
    const json_t *site = json_object_get(finding, "site"), *item;
    const json_t *fix = json_object_get(finding, "fix");
    const char *peer = mh_doc_text(finding, "peer"), *state = mh_doc_text(finding, "state");
    size_t i;

    mh_out_add(out, "### ");
    put(out, mh_doc_text(finding, "severity"), 20);
    mh_out_add(out, ": ");
    put(out, mh_doc_text(finding, "rule"), 20);
    mh_out_add(out, " ");
    put(out, mh_doc_text(finding, "title"), 200);
    mh_out_add(out, "\n\n");
    if (mh_doc_known(site, "function")) {
        put(out, mh_doc_text(site, "function"), 200);
        mh_out_add(out, " (");
        put(out, relative(mh_doc_text(site, "file")), 200);
        mh_out_printf(out, ":%lld)", mh_doc_int(site, "line"));
    }
    if (*peer) {
        mh_out_add(out, " → ");
        put(out, peer, 200);
    }
    mh_out_add(out, " · ");
    put_confidence(out, mh_doc_text(finding, "confidence"));
    if (mh_doc_number(finding, "points", 0) >= 0.05) {
        mh_out_add(out, " · ");
        mh_out_printf(out, MH_TR(out, "+%.1f points"), mh_doc_number(finding, "points", 0));
    }
    if (*state) {
        mh_out_add(out, " · ");
        put(out, MH_TR(out, state), 20);
    }
    mh_out_add(out, "\n\n");
    json_array_foreach(json_object_get(finding, "evidence"), i, item)
    {
        mh_out_add(out, "- ");
        put(out, json_string_value(item) ? json_string_value(item) : "", 400);
        mh_out_add(out, "\n");
    }
    mh_out_add(out, "\n");
    put(out, mh_doc_text(fix, "text"), 600);
    mh_out_add(out, "\n");
    put_code(out, mh_doc_text(fix, "code"));
    mh_out_add(out, "\n");
}

static void put_summary(struct mh_out *out, size_t more)
{
    mh_out_add(out, "<details><summary>");
    mh_out_printf(out, MH_TR(out, more == 1 ? "%zu more finding" : "%zu more findings"), more);
    mh_out_add(out, "</summary>\n\n");
}

static void put_findings(struct mh_out *out, const json_t *findings)
{
    size_t i, n = json_array_size(findings);

    for (i = 0; i < n && out->len < ROOM; i++) {
        if (i == OPEN)
            put_summary(out, n - OPEN);
        put_finding(out, json_array_get(findings, i));
    }
    if (i < n)
        mh_out_printf(out, MH_TR(out, "%zu more findings are in the full report.\n"), n - i);
    if (i > OPEN)
        mh_out_add(out, "</details>\n\n");
}

static void put_principles(struct mh_out *out, const json_t *document)
{
    const json_t *principle;
    size_t i;

    mh_out_printf(out, "<details><summary>%s</summary>\n\n| | %s | %s | %s |\n",
                  MH_TR(out, "Ten principles"), MH_TR(out, "principle"), MH_TR(out, "score"),
                  MH_TR(out, "evidence"));
    mh_out_add(out, "| ---: | --- | ---: | ---: |\n");
    json_array_foreach(mh_doc_at(document, "score.principles"), i, principle)
    {
        mh_out_printf(out, "| %lld | ", mh_doc_int(principle, "number"));
        put(out, mh_doc_text(principle, "name"), 100);
        if (!mh_doc_int(principle, "applicable"))
            mh_out_printf(out, " | %s | |\n", MH_TR(out, "does not apply"));
        else if (mh_doc_known(principle, "score"))
            mh_out_printf(out, " | %lld | %lld %% |\n", mh_doc_rounded(principle, "score", 1),
                          mh_doc_rounded(principle, "evidence", 100));
        else
            mh_out_printf(out, " | %s | 0 %% |\n", MH_TR(out, "unknown"));
    }
    mh_out_add(out, "\n</details>\n\n");
}

/* Against an earlier run: what a reviewer asks first. */
static void put_comparison(struct mh_out *out, const json_t *document)
{
    const json_t *c = json_object_get(document, "comparison"), *fault;
    size_t i;

    if (!c)
        return;
    mh_out_printf(
        out,
        MH_TR(out, "**Against the baseline: %lld new, %lld worse**, %zu fixed, %lld unchanged, %zu "
                   "not re-tested.\n\n"),
        mh_doc_int(c, "new"), mh_doc_int(c, "worse"), json_array_size(json_object_get(c, "fixed")),
        mh_doc_int(c, "unchanged"), json_array_size(json_object_get(c, "not_retested")));
    json_array_foreach(json_object_get(c, "lost_faults"), i, fault)
    {
        mh_out_add(out, i ? ", " : MH_TR(out, "Fired then and not now: "));
        put(out, json_string_value(fault) ? json_string_value(fault) : "", 60);
    }
    if (i)
        mh_out_add(out, ".\n\n");
}

static void put_trend(struct mh_out *out, const json_t *document)
{
    struct mh_trend trend;

    mh_trend_read(document, out->lang, &trend);
    if (!trend.n)
        return;
    mh_out_printf(out, "%s `", MH_TR(out, "Trend:"));
    for (int i = 0; i < trend.n; i++)
        mh_out_add(out, mh_trend_bar(trend.points[i]));
    mh_out_printf(out, "` %s.\n\n", trend.says);
}

int mh_format_markdown(const json_t *document, const struct mh_report_options *options,
                       struct mh_out *out)
{
    put_head(out, document);
    put_comparison(out, document);
    put_trend(out, document);
    put_outcomes(out, document);
    put_findings(out, json_object_get(document, "findings"));
    put_principles(out, document);
    mh_out_printf(out,
                  MH_TR(out, "Passed %zu, not exercised %zu, not applicable %zu, unclear %zu.\n"),
                  json_array_size(json_object_get(document, "passed")),
                  json_array_size(json_object_get(document, "not_exercised")),
                  json_array_size(json_object_get(document, "not_applicable")),
                  json_array_size(json_object_get(document, "unclear")));
    return 0;
}
