/* SPDX-License-Identifier: Apache-2.0 */
/* The text behind `mishap explain RULE`. */
#include "report/explain.h"

#include <string.h>

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

static void explain(struct mh_term *t, const struct mh_rule_row *rule)
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

int mh_explain_write(const struct mh_rule_row *rule, const struct mh_report_options *options)
{
    struct mh_out out = {.error = 0};
    struct mh_utf8_locale locale = mh_utf8_enter();
    struct mh_term t;
    int r;

    mh_term_init(&t, &out, options);
    explain(&t, rule);
    mh_utf8_leave(locale);
    r = mh_out_save(&out, NULL);
    mh_out_done(&out);
    return r;
}
