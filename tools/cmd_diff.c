/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap diff`: two graded runs side by side. */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/macros.h"
#include "cmd.h"
#include "grade/compare.h"
#include "judge.h"
#include "log.h"
#include "report/text.h"

#include "base/banned.h"

struct options {
    const char *runs[2];
    int n;
    bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->n == 2)
            argp_error(state, "'%s' is a third run; two are compared", arg);
        else
            o->runs[o->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->n < 2)
            argp_error(state, "which two runs? name directories of recordings, or REPORT.json");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print(const struct options *o, const json_t *then, const json_t *now)
{
    struct mh_report_options options = mh_report_options_for(stdout);
    struct mh_out out = {.error = 0};
    int r;

    if (o->json)
        r = mh_report_write(json_object_get(now, "comparison"), mh_format_named("json"), NULL,
                            &options);
    else
        r = mh_text_diff(then, now, o->runs, &options, &out);
    if (r >= 0 && !o->json)
        r = mh_out_save(&out, NULL);
    mh_out_done(&out);
    if (r < 0)
        return mh_log_errno(r, "Cannot write the output"), MH_EXIT_TROUBLE;
    return MH_EXIT_OK;
}

int mh_cmd_diff(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"json", 'j', 0, 0, "The comparison as one JSON object", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "RUN1 RUN2",
        .doc =
            "Says what changed from RUN1 to RUN2: grade, principles, and which findings are new, "
            "worse, fixed or were not judged again.\v"
            "A run is a directory of recordings, or a stored REPORT.json.\n\n"
            "Exit status: 0 fine, whatever changed; 2 misuse; 3 a run could not be read. "
            "`mishap report RUN2 --baseline RUN1.json` is the gate.\n",
    };
    struct options o = {.n = 0};
    json_t *then = NULL, *now = NULL;
    int status;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    status = mh_judge_load(o.runs[0], &then);
    if (!status)
        status = mh_judge_load(o.runs[1], &now);
    if (!status && mh_compare(now, then) < 0)
        status = MH_EXIT_TROUBLE;
    if (!status)
        status = print(&o, then, now);
    json_decref(then);
    json_decref(now);
    return status;
}
