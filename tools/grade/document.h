/* SPDX-License-Identifier: Apache-2.0 */
/* A grading written down as report.json. Only for this room. */
#pragma once

#include "grade/judge.h"

/* The whole document. Returns 0 or -ENOMEM. */
int mh_document_make(struct mh_grading *g, json_t **ret);

/* Its parts; each a new reference, or NULL without memory. */
json_t *mh_document_run(const struct mh_grading *g);
json_t *mh_document_score(const struct mh_grading *g);
json_t *mh_document_findings(struct mh_grading *g);
json_t *mh_document_verdicts(const struct mh_grading *g, enum mh_verdict_kind verdict);
json_t *mh_document_not_applicable(const struct mh_grading *g);
json_t *mh_document_cases(const struct mh_grading *g);
json_t *mh_document_outcomes(const struct mh_grading *g);
json_t *mh_document_journeys(const struct mh_grading *g);
json_t *mh_document_routes(const struct mh_grading *g);
json_t *mh_document_timeline(const struct mh_grading *g);
json_t *mh_document_peers(const struct mh_grading *g);
json_t *mh_document_units(const struct mh_grading *g);
json_t *mh_document_processes(const struct mh_grading *g);
json_t *mh_document_blind_spots(const struct mh_grading *g);
json_t *mh_document_tier(const char *letter, const char *name, bool available, const char *note);
json_t *mh_document_kernel_tier(const struct mh_grading *g);

/* How the kernel says that the process was killed: NULL when it does not say, or it was not. */
const struct mh_kernel_end *mh_document_killed(const struct mh_grading *g, int pid);
json_t *mh_document_killed_text(const struct mh_grading *g, const struct mh_kernel_end *end);

/* Adds which events were lost, left out or damaged. */
void mh_document_unkept(const struct mh_model *m, json_t *list);

/* Adds how much was said to be done and was not: what came of it cannot be told. */
void mh_document_untold(const struct mh_model *m, json_t *list);

/* Appends what the kernel saw and no hook did, or that it was not asked. */
void mh_document_kernel_blind_spots(const struct mh_grading *g, json_t *list);

bool mh_rule_applies(const struct mh_grading *g, const struct mh_rule_row *rule);

/* A JSON string from bytes that may be no UTF-8: what is none becomes '?'. */
json_t *mh_json_text(const char *text);
json_t *mh_json_text_or_null(const char *text); /* "" becomes null */

/* Rounded to `digits` places, so that documents can be compared and read. */
json_t *mh_json_number(double v, int digits);
/* The whole number that formats show of that one, times `scale`: sentences must not say another. */
double mh_json_shown(double v, int digits, double scale);

/* 12 hexadecimal digits that stay the same over line numbers, addresses and runs. */
void mh_finding_id(const struct mh_grading *g, const struct mh_judgement *j, char ret[13]);

/* The fix for a finding: {library, code, text}. */
/* The stack to show: the example's, else the one that the judge named, else the site's own. */
uint32_t mh_document_stack(const struct mh_grading *g, const struct mh_judgement *j);
/* The name of a site; without one that of the native function that failed at the peer, if any. */
const char *mh_document_site(const struct mh_grading *g, uint32_t site, uint32_t peer);

/* The fix of a finding. */
json_t *mh_fix_json(const struct mh_grading *g, const struct mh_judgement *j);

/* Which libraries were seen, where; made from options->advice before the document is. 0 or -ENOMEM.
 */
int mh_advice_see(struct mh_grading *g);
void mh_advice_seen_free(struct mh_advice_seen *seen);

/* The advice for a judgement, and the client library that it is about; any of it may be NULL. */
struct mh_advice_choice {
    const struct mh_advice_library *library;
    const struct mh_advice_row *row;
    const struct mh_advice_library *client;
    const struct mh_frame *call; /* the function of a library that the application calls */
};
void mh_advice_choose(const struct mh_grading *g, const struct mh_judgement *j,
                      struct mh_advice_choice *ret);
