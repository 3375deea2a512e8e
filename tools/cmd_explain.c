/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap explain`: what a rule of the grader means. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/near.h"
#include "cmd.h"
#include "grade/grade.h"
#include "log.h"
#include "report/explain.h"

#include "base/banned.h"

/* "MH-0601", "mh-601" and "0601" are the same rule. */
static const struct mh_rule_row *find(const char *word)
{
    const char *digits = !strncasecmp(word, "MH-", 3) ? word + 3 : word;
    size_t n = strlen(digits);
    char id[16];

    if (!n || n > 4 || strspn(digits, "0123456789") != n)
        return NULL;
    snprintf(id, sizeof(id), "MH-%.*s%s", (int)(4 - n), "0000", digits);
    return mh_rule_find(id);
}

static int unknown(const char *word)
{
    const char *best = NULL;
    unsigned least = UINT_MAX;

    for (size_t i = 0; i < mh_rule_count; i++) {
        unsigned distance = mh_near_distance(word, mh_rule_rows[i].id);

        if (distance < least) {
            least = distance;
            best = mh_rule_rows[i].id;
        }
    }
    if (best && least <= 2)
        mh_log("there is no rule '%s'; did you mean '%s'? `mishap list rules` shows them all", word,
               best);
    else
        mh_log("there is no rule '%s'; `mishap list rules` shows them all", word);
    return MH_EXIT_MISUSE;
}

int mh_cmd_explain(int argc, char **argv)
{
    static const struct argp argp = {
        .args_doc = "RULE...",
        .doc = "Says what a rule of the grader means, what proves it, when it is wrong, and how to "
               "fix what it finds.\v"
               "RULE is its id as reports print it: MH-0601; 0601 and 601 will do.\n\n"
               "Exit status: 0 fine; 2 there is no such rule.\n",
    };
    struct mh_report_options options = mh_report_options_for(stdout);
    int first;

    if (argp_parse(&argp, argc, argv, 0, &first, NULL))
        return MH_EXIT_MISUSE;
    if (first == argc) {
        mh_log("which rule? `mishap list rules` shows them all");
        return MH_EXIT_MISUSE;
    }
    for (int i = first; i < argc; i++)
        if (!find(argv[i]))
            return unknown(argv[i]);
    for (int i = first; i < argc; i++) {
        int r = mh_explain_write(find(argv[i]), &options);

        if (r < 0)
            return mh_log_errno(r, "Cannot write the output"), MH_EXIT_TROUBLE;
        if (i + 1 < argc)
            putchar('\n');
    }
    return MH_EXIT_OK;
}
