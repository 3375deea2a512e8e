/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap report`: grades recordings that are there, or shows a stored report.json in another
 * format. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "cmd.h"
#include "judge.h"
#include "log.h"
#include "trace.h"

#include "base/banned.h"

struct options {
    struct mh_judge judge;
    const char **paths; /* borrowed from argv */
    size_t npaths;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->judge;
        return 0;
    case 'f':
        o->judge.format = arg;
        return 0;
    case 'o':
        o->judge.out = arg;
        return 0;
    case ARGP_KEY_ARG:
        o->paths[o->npaths++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which recordings? name a directory that a run has written");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int show_stored(const struct options *o, const char *path)
{
    json_t *document = NULL;
    int status = mh_judge_load(path, &document);

    if (!status)
        status = mh_judge_document(&o->judge, document, path);
    json_decref(document);
    return status;
}

static int check_paths(const struct options *o)
{
    struct stat st;

    for (size_t i = 0; i < o->npaths; i++) {
        if (stat(o->paths[i], &st) < 0) {
            int r = mh_log_errno(-errno, "Cannot read '%s'", o->paths[i]);

            return r == -ENOENT || r == -ENOTDIR ? MH_EXIT_MISUSE : MH_EXIT_TROUBLE;
        }
        if (mh_judge_stored(o->paths[i]) && o->npaths > 1) {
            mh_log("'%s': a stored report is shown alone; recordings can be several", o->paths[i]);
            return MH_EXIT_MISUSE;
        }
    }
    return MH_EXIT_OK;
}

/* A time axis has no verdicts: it is made of the recordings, not of what was graded. */
static int trace(const struct options *o)
{
    if (mh_judge_stored(o->paths[0])) {
        mh_log("a trace is made of recordings; '%s' is a stored report", o->paths[0]);
        return MH_EXIT_MISUSE;
    }
    return mh_trace(o->paths, o->npaths, o->judge.out);
}

int mh_cmd_report(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"format", 'f', "FORMAT", 0, "Of what is printed (default: by -o's suffix, or text)", 0},
        {"output", 'o', "FILE", 0, "Write there instead of to stdout", 0},
        {0},
    };
    static const struct argp_child children[] = {{&mh_judge_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "DIR...\nREPORT.json",
        .doc =
            "Grades recordings and reports what was found; or shows a stored report again."
            "\vSeveral directories are graded as one run: one per host, say. `mishap list formats` "
            "names the formats.\n\n"
            "Exit status: 0 fine; 2 misuse; 3 nothing could be read or written; with --fail-on: "
            "10 the gate failed; 11 it could not judge; 12 unhealthy with no fault active.\n",
        .children = children,
    };
    _cleanup_free_ const char **paths = calloc((size_t)argc, sizeof(*paths));
    struct options o = {.paths = paths};
    int status;

    if (!paths)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    status = check_paths(&o);
    if (!status && o.judge.format && !strcmp(o.judge.format, "trace"))
        return trace(&o);
    if (!status)
        status = mh_judge_check(&o.judge);
    if (status)
        return status;
    if (mh_judge_stored(o.paths[0]))
        return show_stored(&o, o.paths[0]);
    return mh_judge_run(&o.judge, o.paths, o.npaths);
}
