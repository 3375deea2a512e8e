/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the terminal report that its two files share. */
#pragma once

#include <jansson.h>

#include "report/report.h"
#include "report/term.h"

enum mh_style mh_text_severity_style(const char *severity);
enum mh_style mh_text_grade_style(const char *grade);

/* "[HIGH] MH-0601 no timeout ... high confidence" */
void mh_text_finding_head(struct mh_term *t, const json_t *finding);

/* Where it is: "shop/pricing.py:31  shop.pricing.fetch_quote -> pricing:8443   12 of 12" */
void mh_text_finding_site(struct mh_term *t, const json_t *finding);

/* A word in the left column and its text beside it, over at most so many lines. */
void mh_text_labelled(struct mh_term *t, const char *label, const char *text, int max_lines);

/* One line each: against an earlier run, the last runs' points, waivers; nothing where there is
 * none of them. */
void mh_text_comparison(struct mh_term *t, const json_t *document);

/* Two graded runs side by side, as they were named; `now` has been compared with `then`
 * (grade/compare.h). Negative errno when a table could not be made. */
int mh_text_diff(const json_t *then, const json_t *now, const char *const names[2],
                 const struct mh_report_options *options, struct mh_out *out);

/* Everything that does not fit on one screen (-v): findings in full, verdicts, tables, blind spots.
 * Negative errno when a table could not be made. */
int mh_text_more(struct mh_term *t, const json_t *document);
