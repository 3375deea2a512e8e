/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal report: the verdict, what became of the faults, the principles and the first
 * findings on one screen; text_more.c has the rest. */
#include "report/text.h"

#include <stdio.h>
#include <string.h>

#include "report/doc.h"

#include "base/banned.h"

#define SCREEN 50 /* lines */

enum mh_style mh_text_grade_style(const char *grade)
{
    if (!strcmp(grade, "A") || !strcmp(grade, "B"))
        return MH_GREEN;
    if (!strcmp(grade, "C"))
        return MH_YELLOW;
    return strcmp(grade, "NG") ? MH_RED : MH_MAGENTA;
}

enum mh_style mh_text_severity_style(const char *severity)
{
    if (!strcmp(severity, "Critical") || !strcmp(severity, "High"))
        return MH_RED;
    return strcmp(severity, "Medium") ? MH_BLUE : MH_YELLOW;
}

static void join_command(const json_t *command, char *ret, size_t size)
{
    size_t i, len = 0;
    const json_t *word;

    *ret = '\0';
    json_array_foreach(command, i, word)
    {
        const char *text = json_string_value(word);

        if (text && len < size)
            len += (size_t)snprintf(ret + len, size - len, "%s%s", i ? " " : "", text);
    }
}

static void put_title(struct mh_term *t, const json_t *document)
{
    const json_t *run = json_object_get(document, "run");
    double seconds = mh_doc_number(run, "duration_s", 0);
    char command[512], tail[96], seed[48] = "";

    join_command(json_object_get(run, "command"), command, sizeof(command));
    if (mh_doc_known(run, "seed"))
        snprintf(seed, sizeof(seed), MH_TR(t->out, "seed %lld   "), mh_doc_int(run, "seed"));
    if (seconds < 60)
        snprintf(tail, sizeof(tail), "%s%.1fs", seed, seconds);
    else
        snprintf(tail, sizeof(tail), "%s%lldm%02llds", seed, (long long)seconds / 60,
                 (long long)seconds % 60);
    mh_term_put(t, MH_BOLD, "mishap " MISHAP_VERSION "   ");
    mh_term_cut_middle(t, MH_PLAIN, *command ? command : mh_doc_text(run, "id"),
                       t->width - t->column - mh_term_columns(t, tail) - 3);
    mh_term_to(t, t->width - mh_term_columns(t, tail));
    mh_term_put(t, MH_DIM, tail);
    mh_term_end(t);
    mh_term_line(t);
}

/* From 0 to 100: where the true score can lie, and the points. */
static void put_interval(struct mh_term *t, const json_t *score)
{
    int columns = MH_MIN(t->width - 18, 60), cell;
    double low = mh_doc_number(score, "low", 0), high = mh_doc_number(score, "high", 100);
    double points = mh_doc_number(score, "points", -1);

    mh_term_put(t, MH_DIM, "       0 ");
    for (cell = 0; cell < columns; cell++) {
        double from = 100.0 * cell / columns, to = 100.0 * (cell + 1) / columns;

        if (points >= from && (points < to || cell == columns - 1))
            mh_term_glyph(t, MH_BOLD, "\xe2\x97\x86", "#", 1);
        else if (to > low && from < high)
            mh_term_glyph(t, MH_PLAIN, "\xe2\x94\x81", "=", 1);
        else
            mh_term_glyph(t, MH_DIM, "\xc2\xb7", ".", 1);
    }
    mh_term_put(t, MH_DIM, " 100");
    mh_term_end(t);
}

/* How many findings of this rule there are from the i-th on; 0 when an earlier one has been told.
 */
static size_t same_rule(const json_t *findings, size_t i)
{
    const char *rule = mh_doc_text(json_array_get(findings, i), "rule");
    size_t n = 0;

    for (size_t j = 0; j < json_array_size(findings); j++) {
        if (strcmp(mh_doc_text(json_array_get(findings, j), "rule"), rule))
            continue;
        if (j < i)
            return 0;
        n++;
    }
    return n;
}

static void put_gains(struct mh_term *t, const json_t *findings)
{
    size_t i;
    const json_t *finding;
    int shown = 0;

    json_array_foreach(findings, i, finding)
    {
        double points = mh_doc_number(finding, "points", 0);
        size_t n = same_rule(findings, i);

        if (points < 0.05 || !n || shown == 4)
            continue;
        mh_term_put(t, MH_PLAIN, shown++ ? ", " : MH_TR(t->out, "       Points to win: "));
        mh_term_printf(t, MH_BOLD, "%s", mh_doc_text(finding, "rule"));
        mh_term_printf(t, MH_PLAIN, " +%.1f", points);
        if (n > 1)
            mh_term_printf(t, MH_DIM, MH_TR(t->out, " (1 of %zu)"), n);
    }
    if (shown)
        mh_term_end(t);
}

static void put_health(struct mh_term *t, const json_t *document)
{
    const json_t *run = json_object_get(document, "run"), *one;
    const json_t *cases = json_object_get(document, "cases");
    long long lost = mh_doc_int(run, "lost_events");
    const char *health = MH_TR(t->out, "Healthy without faults.");
    enum mh_style style = MH_PLAIN;
    char counts[128], text[256];
    size_t i, hit = 0;

    json_array_foreach(cases, i, one) hit += mh_doc_int(one, "fired") > 0;
    if (mh_doc_int(run, "fired"))
        snprintf(counts, sizeof(counts), MH_TR(t->out, "%lld fired, in %zu of %zu cases."),
                 mh_doc_int(run, "fired"), hit, json_array_size(cases));
    else
        snprintf(counts, sizeof(counts), "%s",
                 MH_TR(t->out, "Nothing was injected: what follows was observed."));
    if (json_is_false(json_object_get(run, "healthy"))) {
        health = MH_TR(t->out, "Unhealthy with no fault active: nothing that faults did is held "
                               "against it.");
        style = MH_RED;
    } else if (!mh_doc_known(run, "healthy")) {
        health = MH_TR(t->out, "No fault-free time to compare with.");
        style = MH_YELLOW;
    }
    snprintf(text, sizeof(text), "%s %s", health, counts);
    mh_term_wrap(t, style, text, 7, 2);
    json_array_foreach(json_object_get(run, "cut"), i, one)
    {
        snprintf(text, sizeof(text), "%s", json_string_value(one) ? json_string_value(one) : "");
        mh_term_wrap(t, MH_RED, text, 7, 2);
    }
    if (lost) {
        mh_term_to(t, 7);
        mh_term_printf(t, MH_YELLOW,
                       MH_TR(t->out, lost == 1 ? "%lld event was lost." : "%lld events were lost."),
                       lost);
        mh_term_end(t);
    }
}

static void put_verdict(struct mh_term *t, const json_t *document)
{
    const json_t *score = json_object_get(document, "score"), *cap;
    const char *grade = mh_doc_text(score, "grade");
    size_t i;

    mh_term_put(t, MH_DIM, MH_TR(t->out, " GRADE "));
    mh_term_printf(t, mh_text_grade_style(grade), "%-4s", grade);
    if (mh_doc_known(score, "points"))
        mh_term_printf(t, MH_BOLD, "%lld/100", mh_doc_rounded(score, "points", 1));
    else
        mh_term_put(t, MH_BOLD, "-/100");
    mh_term_printf(t, MH_PLAIN,
                   MH_TR(t->out, "   evidence %lld %%   the true score is between %lld and %lld"),
                   mh_doc_rounded(score, "evidence", 100), mh_doc_rounded(score, "low", 1),
                   mh_doc_rounded(score, "high", 1));
    mh_term_end(t);
    put_interval(t, score);
    json_array_foreach(json_object_get(score, "caps"), i, cap)
    {
        char text[400];

        if (!strcmp(mh_doc_text(cap, "grade"), "NG"))
            snprintf(text, sizeof(text), MH_TR(t->out, "No grade: %s"), mh_doc_text(cap, "reason"));
        else
            snprintf(text, sizeof(text), MH_TR(t->out, "Not better than %s: %s"),
                     mh_doc_text(cap, "grade"), mh_doc_text(cap, "reason"));
        mh_term_to(t, 7);
        mh_term_wrap(t, MH_PLAIN, text, 7, 2);
    }
    put_gains(t, json_object_get(document, "findings"));
    put_health(t, document);
    mh_term_end(t);
}

static enum mh_style outcome_style(const char *name)
{
    static const enum mh_style styles[] = {MH_GREEN, MH_GREEN, MH_BLUE, MH_YELLOW,
                                           MH_RED,   MH_RED,   MH_RED};

    for (size_t i = 0; mh_outcome_names[i]; i++)
        if (!strcmp(name, mh_outcome_names[i]))
            return styles[i];
    return MH_PLAIN;
}

static void put_outcomes(struct mh_term *t, const json_t *document)
{
    const json_t *outcomes = json_object_get(document, "outcomes");
    const json_t *index = mh_doc_at(document, "score.survival_index");
    long long total = 0;

    for (size_t i = 0; mh_outcome_names[i]; i++)
        total += mh_doc_int(json_object_get(outcomes, mh_outcome_names[i]), "count");
    if (!total) {
        mh_term_put(t, MH_BOLD, MH_TR(t->out, " No fault fired whose outcome could be told."));
        mh_term_end(t);
        mh_term_end(t);
        return;
    }
    mh_term_printf(t, MH_BOLD,
                   MH_TR(t->out, total == 1 ? " %lld fault became" : " %lld faults became"), total);
    mh_term_to(t, 21);
    mh_term_put(t, MH_DIM, MH_TR(t->out, "n    %  for example"));
    if (json_is_number(index)) {
        mh_term_to(t, t->width - 20);
        mh_term_printf(t, MH_DIM, MH_TR(t->out, "survival index %.2f"), json_number_value(index));
    }
    mh_term_end(t);
    for (size_t i = 0; mh_outcome_names[i]; i++) {
        const json_t *outcome = json_object_get(outcomes, mh_outcome_names[i]);
        long long n = mh_doc_int(outcome, "count");
        enum mh_style style = n ? outcome_style(mh_outcome_names[i]) : MH_DIM;

        mh_term_put(t, style, "  ");
        mh_term_put(t, style, MH_TR(t->out, mh_outcome_names[i]));
        mh_term_to(t, 14);
        mh_term_printf(t, n ? MH_PLAIN : MH_DIM, "%8lld %4.0f  ", n,
                       100.0 * (double)n / (double)total);
        mh_term_cut(t, MH_PLAIN, mh_doc_text(outcome, "example"), t->width - 29);
        mh_term_end(t);
    }
    mh_term_end(t);
}

/* "2H 1M", or "1C2H1M" when there are many. */
static void open_counts(const json_t *principle, char *ret, size_t size)
{
    const json_t *open = json_object_get(principle, "open");
    size_t len = 0, kinds = 0;

    snprintf(ret, size, "-");
    for (size_t i = 0; mh_severity_names[i]; i++)
        kinds += mh_doc_int(open, mh_severity_names[i]) > 0;
    for (size_t i = 0; mh_severity_names[i]; i++) {
        long long n = mh_doc_int(open, mh_severity_names[i]);

        if (n && len < size)
            len += (size_t)snprintf(ret + len, size - len, "%s%lld%c", len && kinds < 3 ? " " : "",
                                    n, mh_severity_names[i][0]);
    }
}

static void put_principle(struct mh_term *t, const json_t *principle, int left)
{
    bool applies = mh_doc_int(principle, "applicable") > 0;
    bool known = mh_doc_known(principle, "score");
    char open[32];

    mh_term_to(t, left);
    mh_term_printf(t, MH_DIM, "%2lld ", mh_doc_int(principle, "number"));
    mh_term_cut(t, MH_PLAIN, mh_doc_text(principle, "name"), 19);
    mh_term_to(t, left + 23);
    if (!applies) {
        mh_term_put(t, MH_DIM, MH_TR(t->out, " n/a    -"));
        return;
    }
    if (known)
        mh_term_printf(t, MH_PLAIN, "%4lld", mh_doc_rounded(principle, "score", 1));
    else
        mh_term_put(t, MH_MAGENTA, "   ?");
    mh_term_printf(t, MH_DIM, " %3lld%%", mh_doc_rounded(principle, "evidence", 100));
    open_counts(principle, open, sizeof(open));
    mh_term_to(t, left + 33);
    mh_term_cut(t, strcmp(open, "-") ? MH_YELLOW : MH_DIM, open, 6);
}

static void put_principles(struct mh_term *t, const json_t *document)
{
    const json_t *list = mh_doc_at(document, "score.principles");
    int sides = t->width >= 80 ? 2 : 1;
    size_t n = json_array_size(list), rows = (n + (size_t)sides - 1) / (size_t)sides;

    for (int side = 0; side < sides; side++) {
        mh_term_to(t, side * 40);
        mh_term_put(t, MH_DIM, MH_TR(t->out, "    principle"));
        mh_term_to(t, side * 40 + 22);
        mh_term_put(t, MH_DIM, MH_TR(t->out, "score evid open"));
    }
    mh_term_end(t);
    for (size_t row = 0; row < rows; row++) {
        for (size_t side = 0; side < (size_t)sides && side * rows + row < n; side++)
            put_principle(t, json_array_get(list, side * rows + row), (int)side * 40);
        mh_term_end(t);
    }
    mh_term_end(t);
}

void mh_text_finding_head(struct mh_term *t, const json_t *finding)
{
    const char *severity = mh_doc_text(finding, "severity");
    const char *state = mh_doc_text(finding, "state");
    const char *confidence = mh_doc_text(finding, "confidence");
    char tail[96];

    snprintf(tail, sizeof(tail), MH_TR(t->out, "%s, %s confidence%s%.24s"),
             mh_doc_text(finding, "type"), MH_TR(t->out, confidence), *state ? ", " : "",
             MH_TR(t->out, state));
    mh_term_put(t, mh_text_severity_style(severity), " [");
    mh_term_put(t, mh_text_severity_style(severity), severity);
    mh_term_put(t, mh_text_severity_style(severity), "] ");
    mh_term_put(t, MH_BOLD, mh_doc_text(finding, "rule"));
    mh_term_put(t, MH_BOLD, " ");
    mh_term_cut(t, MH_BOLD, mh_doc_text(finding, "title"),
                t->width - t->column - mh_term_columns(t, tail) - 2);
    mh_term_to(t, t->width - mh_term_columns(t, tail));
    mh_term_put(t, MH_DIM, tail);
    mh_term_end(t);
}

void mh_text_finding_site(struct mh_term *t, const json_t *finding)
{
    const json_t *site = json_object_get(finding, "site");
    const json_t *trials = json_object_get(finding, "trials");
    const char *function = mh_doc_text(site, "function"), *peer = mh_doc_text(finding, "peer");
    char where[768], times[80];

    snprintf(times, sizeof(times),
             mh_doc_true(finding, "observed") ? MH_TR(t->out, "%lld of %lld, observed")
                                              : MH_TR(t->out, "%lld of %lld"),
             mh_doc_int(trials, "failed"), mh_doc_int(trials, "fired"));
    if (mh_doc_known(site, "file"))
        snprintf(where, sizeof(where), "%s:%lld", mh_doc_text(site, "file"),
                 mh_doc_int(site, "line"));
    else
        snprintf(where, sizeof(where), "%s", MH_TR(t->out, "the application as a whole"));
    mh_term_to(t, 3);
    mh_term_cut_middle(t, MH_PLAIN, where, 28);
    mh_term_put(t, MH_PLAIN, "  ");
    snprintf(where, sizeof(where), "%s%s%s", function, *peer ? (*function ? " -> " : "-> ") : "",
             peer);
    mh_term_cut_middle(t, MH_PLAIN, where, t->width - t->column - mh_term_columns(t, times) - 2);
    mh_term_to(t, t->width - mh_term_columns(t, times));
    mh_term_put(t, MH_DIM, times);
    mh_term_end(t);
}

void mh_text_labelled(struct mh_term *t, const char *label, const char *text, int max_lines)
{
    if (!*text)
        return;
    mh_term_to(t, 3);
    mh_term_put(t, MH_DIM, MH_TR(t->out, label));
    if (t->column > 10)
        mh_term_put(t, MH_PLAIN, " ");
    mh_term_wrap(t, MH_PLAIN, text, 11, max_lines);
}

/* The rule of the i-th finding at other sites, which come later. */
static void put_elsewhere(struct mh_term *t, const json_t *findings, size_t i)
{
    size_t n = same_rule(findings, i);

    if (n < 2)
        return;
    mh_term_to(t, 11);
    mh_term_printf(t, MH_DIM,
                   MH_TR(t->out, n == 2 ? "(the same rule at %zu more site)"
                                        : "(the same rule at %zu more sites)"),
                   n - 1);
    mh_term_end(t);
}

static void put_finding(struct mh_term *t, const json_t *finding)
{
    const json_t *evidence = json_object_get(finding, "evidence");
    const json_t *fix = json_object_get(finding, "fix");
    const char *first = json_string_value(json_array_get(evidence, 0));
    const char *second = json_string_value(json_array_get(evidence, 1));

    mh_text_finding_head(t, finding);
    mh_text_finding_site(t, finding);
    mh_text_labelled(t, MH_TEXT("saw"), first ? first : "", 2);
    mh_text_labelled(t, MH_TEXT("and"), second ? second : "", 2);
    mh_text_labelled(t, MH_TEXT("fix"), mh_doc_text(fix, "text"), 3);
}

/* "4 Medium, 1 Low" from this finding on. */
static void put_rest(struct mh_term *t, const json_t *findings, size_t from)
{
    bool any = false;

    if (from == json_array_size(findings))
        return;
    mh_term_put(t, MH_PLAIN, from ? MH_TR(t->out, " And ") : " ");
    for (size_t i = 0; mh_severity_names[i]; i++) {
        size_t n = 0;

        for (size_t j = from; j < json_array_size(findings); j++)
            n +=
                !strcmp(mh_doc_text(json_array_get(findings, j), "severity"), mh_severity_names[i]);
        if (n)
            mh_term_printf(t, MH_PLAIN, "%s%zu %s", any ? ", " : "", n, mh_severity_names[i]);
        any = any || n;
    }
    mh_term_put(t, MH_PLAIN, MH_TR(t->out, from ? " more: -v shows them." : ": -v shows them."));
    mh_term_end(t);
}

static void put_findings(struct mh_term *t, const json_t *document)
{
    const json_t *findings = json_object_get(document, "findings");
    size_t i, n = json_array_size(findings);

    if (!n) {
        mh_term_put(t, MH_PLAIN, MH_TR(t->out, " No findings."));
        mh_term_end(t);
    }
    /* A finding takes 10 lines at most, and what follows the findings 3. */
    for (i = 0; i < n && t->lines + 10 <= SCREEN - 3; i++) {
        put_finding(t, json_array_get(findings, i));
        put_elsewhere(t, findings, i);
    }
    put_rest(t, findings, i);
}

static void put_counts(struct mh_term *t, const json_t *document)
{
    size_t blind = json_array_size(json_object_get(document, "blind_spots"));

    mh_term_printf(t, MH_DIM,
                   MH_TR(t->out, " Passed %zu, not exercised %zu, not applicable %zu, unclear %zu"),
                   json_array_size(json_object_get(document, "passed")),
                   json_array_size(json_object_get(document, "not_exercised")),
                   json_array_size(json_object_get(document, "not_applicable")),
                   json_array_size(json_object_get(document, "unclear")));
    if (blind)
        mh_term_printf(t, MH_DIM,
                       MH_TR(t->out, blind == 1 ? "; %zu blind spot" : "; %zu blind spots"), blind);
    mh_term_end(t);
}

static void put_next(struct mh_term *t, const json_t *document, const char *path)
{
    const json_t *finding = json_array_get(json_object_get(document, "findings"), 0);

    mh_term_put(t, MH_DIM, MH_TR(t->out, " Next: "));
    if (json_is_false(mh_doc_at(document, "run.healthy")) && path)
        mh_term_printf(t, MH_BOLD, "mishap events %s", path);
    else if (finding)
        mh_term_printf(t, MH_BOLD, "mishap explain %s", mh_doc_text(finding, "rule"));
    else if (!mh_doc_int(json_object_get(document, "run"), "fired"))
        mh_term_put(t, MH_BOLD, "mishap check FILE");
    else
        mh_term_printf(t, MH_BOLD, "mishap report %s -o report.html", path ? path : "DIR");
    mh_term_end(t);
}

int mh_format_text(const json_t *document, const struct mh_report_options *options,
                   struct mh_out *out)
{
    struct mh_term t;
    int r = 0;

    mh_term_init(&t, out, options);
    put_title(&t, document);
    put_verdict(&t, document);
    put_outcomes(&t, document);
    put_principles(&t, document);
    if (options->verbose)
        r = mh_text_more(&t, document);
    else
        put_findings(&t, document);
    put_counts(&t, document);
    mh_text_comparison(&t, document);
    put_next(&t, document, options->path);
    return r;
}
