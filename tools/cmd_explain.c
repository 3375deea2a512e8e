/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap explain`: what a rule of the grader means. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "base/macros.h"
#include "base/near.h"
#include "cmd.h"
#include "grade/grade.h"
#include "log.h"
#include "report/explain.h"

#include "base/banned.h"

enum { KEY_ADVICE = 512 };

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

struct options {
    const char *library, *advice;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'l':
        o->library = arg;
        return 0;
    case KEY_ADVICE:
        o->advice = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Is there such a library? Else says which one was probably meant. */
static int check_library(const struct mh_advice *advice, const char *name)
{
    const char *best = NULL;
    unsigned least = UINT_MAX;

    for (size_t i = 0; advice && i < advice->libraries.n; i++) {
        const char *have = advice->libraries.v[i].text[MH_ADVICE_name];
        unsigned distance = mh_near_distance(name, have);

        if (!distance)
            return MH_EXIT_OK;
        if (distance < least) {
            least = distance;
            best = have;
        }
    }
    if (best && least <= 2)
        mh_log("there is no advice for '%s'; did you mean '%s'?", name, best);
    else
        mh_log("there is no advice for '%s'; `mishap list advice` shows for whom there is", name);
    return MH_EXIT_MISUSE;
}

/* All the rules of the command line; returns an exit status. */
static int explain(char **words, int n, const struct mh_advice *advice, const char *library)
{
    struct mh_report_options options = mh_report_options_for(stdout);

    for (int i = 0; i < n; i++) {
        const struct mh_rule_row *rule = find(words[i]);
        int r = library ? mh_explain_library(rule, advice, library, &options)
                        : mh_explain_write(rule, advice, &options);

        if (r < 0)
            return mh_log_errno(r, "Cannot write the output"), MH_EXIT_TROUBLE;
        if (i + 1 < n)
            putchar('\n');
    }
    return MH_EXIT_OK;
}

int mh_cmd_explain(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"library", 'l', "NAME", 0, "Only how to fix it with this library", 0},
        {"advice", KEY_ADVICE, "FOLDER", 0,
         "Fixes by library from its *.ini, instead of those that are shipped", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "RULE...",
        .doc = "Says what a rule of the grader means, what proves it, when it is wrong, and how to "
               "fix what it finds.\v"
               "RULE is its id as reports print it: MH-0601; 0601 and 601 will do.\n\n"
               "Exit status: 0 fine; 2 there is no such rule, or no such library; 3 a file of "
               "advice has a mistake.\n",
    };
    struct options o = {NULL};
    struct mh_advice *advice;
    int first, status, opened;

    if (argp_parse(&argp, argc, argv, 0, &first, &o))
        return MH_EXIT_MISUSE;
    if (first == argc) {
        mh_log("which rule? `mishap list rules` shows them all");
        return MH_EXIT_MISUSE;
    }
    for (int i = first; i < argc; i++)
        if (!find(argv[i]))
            return unknown(argv[i]);
    advice = mh_advice_open(o.advice, &opened);
    status = o.library ? check_library(advice, o.library) : MH_EXIT_OK;
    if (!status)
        status = explain(argv + first, argc - first, advice, o.library);
    if (!status && (advice || o.advice)) /* none at all is no mistake: it was said */
        status = opened;
    mh_advice_free(advice);
    return status;
}
