/* SPDX-License-Identifier: Apache-2.0 */
/* A rule of the catalogue as text: what it means, its evidence, when it is wrong, how to fix what
 * it finds. */
#pragma once

#include "grade/grade.h"
#include "report/report.h"

/* Writes the rule to stdout. 0 or a negative errno. */
int mh_explain_write(const struct mh_rule_row *rule, const struct mh_report_options *options);
