/* SPDX-License-Identifier: Apache-2.0 */
/* The command: finds the verb in its table and hands over. Options belong to the verbs. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "cmd.h"
#include "log.h"

#include "base/banned.h"

struct verb {
    const char *name, *arguments, *summary;
    int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
#define VERB(name, arguments, summary) {#name, arguments, summary, mh_cmd_##name},
#include "verbs.def"
#undef VERB
};

static void print_help(FILE *out)
{
    fputs("Usage: mishap VERB [OPTION...] [ARG...]\n"
          "mishap makes libc lie to a Python process, on purpose and on the record, and then says\n"
          "how well the application coped.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\n`mishap VERB --help` shows a verb's options.\n"
          "Next: mishap run -c FILE -- COMMAND\n",
          out);
}

static const char *nearest(const char *word)
{
    const char *best = NULL;
    unsigned least = 3;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        unsigned distance = mh_near_distance(word, verbs[i].name);

        if (distance < least) {
            least = distance;
            best = verbs[i].name;
        }
    }
    return best;
}

static int unknown(const char *word)
{
    const char *near = nearest(word);

    if (near)
        mh_log("there is no verb '%s'; did you mean '%s'?", word, near);
    else
        mh_log("there is no verb '%s'; `mishap --help` shows them all", word);
    return MH_EXIT_MISUSE;
}

static int call(const struct verb *verb, int argc, char **argv)
{
    static char name[32]; /* argp keeps it */

    snprintf(name, sizeof(name), "mishap %s", verb->name);
    argv[0] = name;
    program_invocation_name = program_invocation_short_name = name;
    return verb->run(argc, argv);
}

/* A report that did not reach its reader is not made. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    mh_log_errno(-errno, "Cannot write the output");
    return MH_EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    argp_program_version = "mishap " MISHAP_VERSION;
    argp_err_exit_status = MH_EXIT_MISUSE;
    if (argc < 2) {
        print_help(stderr);
        return MH_EXIT_MISUSE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        print_help(stdout);
        return finish(MH_EXIT_OK);
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts(argp_program_version);
        return finish(MH_EXIT_OK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (!strcmp(argv[1], verbs[i].name))
            return finish(call(&verbs[i], argc - 1, argv + 1));
    return unknown(argv[1]);
}
