/* SPDX-License-Identifier: Apache-2.0 */
/* A rule of the catalogue as text: what it means, its evidence, when it is wrong, how to fix what
 * it finds. */
#pragma once

#include "grade/grade.h"
#include "report/report.h"

/* Writes the rule to stdout, and which libraries have advice of their own for it. `advice` may be
 * NULL. 0 or a negative errno. */
int mh_explain_write(const struct mh_rule_row *rule, const struct mh_advice *advice,
                     const struct mh_report_options *options);

/* Writes what the files of one library advise. 0 or a negative errno. */
int mh_explain_library(const struct mh_rule_row *rule, const struct mh_advice *advice,
                       const char *library, const struct mh_report_options *options);
