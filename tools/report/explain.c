/* SPDX-License-Identifier: Apache-2.0 */
/* The text behind `mishap explain RULE`. */
#include "report/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "report/term.h"
#include "report/utf8.h"

#include "base/banned.h"

#define INDENT 2

static void put_part(struct mh_term *t, const char *heading, const char *text)
{
    if (!text || !*text)
        return;
    mh_term_end(t);
    mh_term_put(t, MH_BOLD, heading);
    mh_term_end(t);
    mh_term_wrap(t, MH_PLAIN, text, INDENT, 100);
}

static void put_head(struct mh_term *t, const struct mh_rule_row *rule)
{
    const char *severity = mh_severity_words[rule->nominal];

    mh_term_printf(t, MH_BOLD, "%s %s", rule->id, rule->title);
    mh_term_end(t);
    mh_term_printf(t, MH_DIM, "%s, %s; principle %d, %s", severity, mh_fragility_names[rule->type],
                   rule->principle, mh_principle_names[rule->principle - 1]);
    if (rule->since)
        mh_term_printf(t, MH_DIM, "; since %s", rule->since);
    mh_term_end(t);
}

/* One line of names: for whom there is advice of its own. */
static void put_libraries(struct mh_term *t, const struct mh_rule_row *rule,
                          const struct mh_advice *advice)
{
    MH_BUF(names, 1000);
    const char *last = "";

    for (size_t i = 0; advice && i < advice->libraries.n; i++) {
        const struct mh_advice_library *l = &advice->libraries.v[i];

        if (l->always || !mh_advice_row(l, rule->id) || !strcmp(last, l->text[MH_ADVICE_name]))
            continue;
        last = l->text[MH_ADVICE_name];
        mh_buf_add(&names, names.len ? ", " : "");
        mh_buf_add(&names, last);
    }
    put_part(t, "With a library of yours (--library NAME)", names.data);
}

static void explain(struct mh_term *t, const struct mh_rule_row *rule,
                    const struct mh_advice *advice)
{
    put_head(t, rule);
    put_part(t, "What it means", rule->means);
    put_part(t, "What proves it", rule->evidence);
    put_part(t, "When it is wrong", rule->false_positives);
    put_part(t, "What would turn the verdict", rule->flip);
    put_part(t, "How to fix it", rule->fix);
    if (rule->code && *rule->code) {
        mh_term_end(t);
        mh_term_lines(t, MH_GREEN, rule->code, 2 * INDENT);
    }
    put_libraries(t, rule, advice);
    if (!rule->judge) {
        mh_term_end(t);
        mh_term_wrap(
            t, MH_YELLOW,
            "This version does not judge it yet: where it applies it counts as not judged.", 0, 4);
    }
    mh_term_end(t);
    mh_term_put(t, MH_DIM, "Next: ");
    mh_term_put(t, MH_BOLD, "mishap list rules");
    mh_term_end(t);
}

static void put_filled(struct mh_term *t, const char *text, bool code)
{
    static const char *const unknown[MH_PLACEHOLDERS];
    _cleanup_free_ char *filled = text ? mh_advice_fill(text, unknown) : NULL;

    if (!filled)
        return;
    if (code) {
        mh_term_end(t);
        mh_term_lines(t, MH_GREEN, filled, 2 * INDENT);
        mh_term_end(t);
    } else
        mh_term_wrap(t, MH_PLAIN, filled, INDENT, 100);
}

static void put_advice(struct mh_term *t, const struct mh_advice_library *l,
                       const struct mh_advice_row *row)
{
    const char *versions = l->text[MH_ADVICE_versions], *status = l->text[MH_ADVICE_status];

    mh_term_end(t);
    mh_term_printf(t, MH_BOLD, "%s%s%s", l->text[MH_ADVICE_name], versions ? " " : "",
                   versions ? versions : "");
    if (status)
        mh_term_printf(t, MH_DIM, "  %s", status);
    mh_term_end(t);
    if (!row) {
        mh_term_wrap(t, MH_PLAIN, "Nothing of its own for this rule.", INDENT, 4);
        return;
    }
    put_filled(t, row->text[MH_ADVICE_say], false);
    put_filled(t, row->text[MH_ADVICE_code], true);
    put_filled(t, row->text[MH_ADVICE_note], false);
    put_filled(t, l->text[MH_ADVICE_about], false);
    if (row->text[MH_ADVICE_docs])
        mh_term_wrap(t, MH_DIM, row->text[MH_ADVICE_docs], INDENT, 4);
}

/* Files of the library; those without a word on the rule only when there is no other. */
static void explain_library(struct mh_term *t, const struct mh_rule_row *rule,
                            const struct mh_advice *advice, const char *library)
{
    const struct mh_advice_library *silent = NULL;
    bool said = false;

    put_head(t, rule);
    for (size_t i = 0; i < advice->libraries.n; i++) {
        const struct mh_advice_library *l = &advice->libraries.v[i];
        const struct mh_advice_row *row = mh_advice_row(l, rule->id);

        if (strcmp(l->text[MH_ADVICE_name], library) != 0)
            continue;
        if (row)
            put_advice(t, l, row);
        else
            silent = l;
        said |= row != NULL;
    }
    if (silent && !said)
        put_advice(t, silent, NULL);
}

static int write_out(struct mh_out *out)
{
    int r = mh_out_save(out, NULL);

    mh_out_done(out);
    return r;
}

int mh_explain_library(const struct mh_rule_row *rule, const struct mh_advice *advice,
                       const char *library, const struct mh_report_options *options)
{
    struct mh_out out = {.error = 0};
    struct mh_utf8_locale locale = mh_utf8_enter();
    struct mh_term t;

    mh_term_init(&t, &out, options);
    explain_library(&t, rule, advice, library);
    mh_utf8_leave(locale);
    return write_out(&out);
}

int mh_explain_write(const struct mh_rule_row *rule, const struct mh_advice *advice,
                     const struct mh_report_options *options)
{
    struct mh_out out = {.error = 0};
    struct mh_utf8_locale locale = mh_utf8_enter();
    struct mh_term t;

    mh_term_init(&t, &out, options);
    explain(&t, rule, advice);
    mh_utf8_leave(locale);
    return write_out(&out);
}
