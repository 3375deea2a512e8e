/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap replay`: the same command, load and seed, with the fault of one finding alone. It makes
 * the arguments of a `mishap run` out of run.json and hands over. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "cmd.h"
#include "judge.h"
#include "log.h"
#include "report/doc.h"
#include "run/manifest.h"

#include "base/banned.h"

struct options {
    const char *dir, *finding;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (!o->dir)
            o->dir = arg;
        else if (!o->finding)
            o->finding = arg;
        else
            argp_error(state, "one finding at a time");
        return 0;
    case ARGP_KEY_END:
        if (!o->finding)
            argp_error(state, "which finding of which run? mishap replay DIR FINDING");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* By id, or by as much of it as no other finding begins with. NULL after having said why not. */
static json_t *find(const json_t *document, const struct options *o)
{
    json_t *findings = json_object_get(document, "findings"), *one, *found = NULL;
    size_t n = strlen(o->finding), i, matches = 0;

    json_array_foreach(findings, i, one)
    {
        if (n >= 4 && !strncmp(mh_doc_text(one, "id"), o->finding, n)) {
            found = one;
            matches++;
        }
    }
    if (matches == 1)
        return found;
    mh_log(matches ? "'%s' begins more than one finding of '%s'"
                   : "there is no finding '%s' in '%s'; its findings are:",
           o->finding, o->dir);
    json_array_foreach(findings, i, one)
        fprintf(stderr, "        %s  %s %s\n", mh_doc_text(one, "id"), mh_doc_text(one, "rule"),
                mh_doc_text(one, "title"));
    return NULL;
}

/* The words of the run. Those that were made here live in `texts`. */
struct words {
    char **v;
    size_t n;
    char texts[12][PATH_MAX];
    size_t used;
};

static void add(struct words *w, const char *option, const char *text)
{
    if (!text || !*text || w->used == ARRAY_SIZE(w->texts))
        return;
    snprintf(w->texts[w->used], sizeof(w->texts[0]), "%s", text);
    w->v[w->n++] = (char *)(uintptr_t)option;
    w->v[w->n++] = w->texts[w->used++];
}

/* Where the replay is recorded: below the run, in a place of its own. */
static void name_place(const char *dir, const char *id, char *ret, size_t size)
{
    _cleanup_free_ char *whole = realpath(dir, NULL);
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32];

    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    snprintf(ret, size, "%s/replay-%.12s-%s-%d", whole ? whole : dir, id, stamp, (int)getpid());
}

static int make_words(const struct options *o, const json_t *manifest, const json_t *finding,
                      const char *place, struct words *w)
{
    const json_t *scenarios = json_object_get(manifest, "scenarios");
    const json_t *command = json_object_get(manifest, "command"), *one;
    _cleanup_free_ char *dir = realpath(o->dir, NULL);
    json_int_t for_ns = json_integer_value(json_object_get(manifest, "for_ns"));
    json_int_t grace_ns = json_integer_value(json_object_get(manifest, "grace_ns"));
    json_int_t ready_ns = json_integer_value(json_object_get(manifest, "ready_ns"));
    char text[PATH_MAX];
    size_t i;

    w->v = calloc(json_array_size(command) + 48, sizeof(*w->v));
    if (!w->v || !dir)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    w->v[w->n++] = (char *)(uintptr_t) "mishap run";
    json_array_foreach(scenarios, i, one)
    {
        snprintf(text, sizeof(text), "%s/%s", dir,
                 json_string_value(one) ? json_string_value(one) : "");
        add(w, "-c", text);
    }
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(manifest, "seed")));
    add(w, "--seed", text);
    add(w, "-o", place);
    add(w, "--only", mh_doc_text(finding, "fault"));
    add(w, "--with", mh_doc_text(manifest, "with"));
    add(w, "--ready", mh_doc_text(manifest, "ready"));
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "ms", for_ns / 1000000);
    add(w, "--for", for_ns ? text : "");
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "ms", grace_ns / 1000000);
    add(w, "--grace", grace_ns ? text : "");
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "ms", ready_ns / 1000000);
    add(w, "--ready-within", ready_ns ? text : "");
    if (json_is_true(json_object_get(manifest, "no_calm")))
        w->v[w->n++] = (char *)(uintptr_t) "--no-calm";
    w->v[w->n++] = (char *)(uintptr_t) "--quiet";
    w->v[w->n++] = (char *)(uintptr_t) "--";
    json_array_foreach(command, i, one) w->v[w->n++] =
        (char *)(uintptr_t)(json_string_value(one) ? json_string_value(one) : "");
    return MH_EXIT_OK;
}

static const json_t *with_id(const json_t *document, const char *list, const char *id)
{
    const json_t *all = json_object_get(document, list), *one;
    size_t i;

    json_array_foreach(all, i, one)
    {
        if (!strcmp(mh_doc_text(one, "id"), id))
            return one;
    }
    return NULL;
}

/* What became of the finding; returns the exit status. */
static int tell(const json_t *finding, const char *place)
{
    const char *id = mh_doc_text(finding, "id");
    const json_t *now, *trials;
    json_t *document = NULL;
    int status = mh_judge_load(place, &document);

    if (status)
        return status;
    now = with_id(document, "findings", id);
    trials = json_object_get(now, "trials");
    if (now) {
        status = MH_EXIT_GATE;
        printf("%s is still there: %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n", id,
               json_integer_value(json_object_get(trials, "failed")),
               json_integer_value(json_object_get(trials, "fired")));
    } else if (with_id(document, "passed", id)) {
        printf("%s is fixed: %s\n", id, mh_doc_text(with_id(document, "passed", id), "reason"));
    } else {
        status = MH_EXIT_UNJUDGED;
        now = with_id(document, "unclear", id);
        printf("%s could not be judged again: %s\n", id,
               now ? mh_doc_text(now, "reason") : "its fault did not fire there");
    }
    printf("Report: mishap report %s\n", place);
    json_decref(document);
    return status;
}

static int replay(const struct options *o, const json_t *manifest, const json_t *finding)
{
    _cleanup_free_ struct words *w = calloc(1, sizeof(*w));
    char place[PATH_MAX];
    int status;

    if (!w)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    name_place(o->dir, mh_doc_text(finding, "id"), place, sizeof(place));
    status = make_words(o, manifest, finding, place, w);
    if (!status && chdir(mh_doc_text(manifest, "directory")) < 0)
        status = (mh_log_errno(-errno, "Cannot go to '%s', where the run was started",
                               mh_doc_text(manifest, "directory")),
                  MH_EXIT_TROUBLE);
    if (!status) {
        const char *fault = mh_doc_text(finding, "fault");

        printf("[%s] %s %s: again with %s%s\n", mh_doc_text(finding, "severity"),
               mh_doc_text(finding, "rule"), mh_doc_text(finding, "title"),
               *fault ? "only the fault " : "all that the scenario does", fault);
        fflush(stdout);
        status = mh_cmd_run((int)w->n, w->v);
        /* what the command itself ended with is part of the finding, if anything */
        status =
            status == MH_EXIT_MISUSE || status == MH_EXIT_TROUBLE ? status : tell(finding, place);
    }
    free(w->v);
    return status;
}

int mh_cmd_replay(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "DIR FINDING",
        .doc =
            "Runs the same command once more, with the same load and seed, and with only the "
            "fault that a finding came from."
            "\vFINDING is the id that a report shows, or its first letters. The replay is "
            "recorded in a directory below DIR.\n\n"
            "Exit status: 0 the finding is gone; 10 it is still there; 11 it could not be judged "
            "again; 2 misuse; 3 mishap's own trouble.\n",
    };
    struct options o = {0};
    json_t *manifest = NULL, *document = NULL, *finding;
    int status = MH_EXIT_MISUSE, r;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    r = mh_manifest_load(o.dir, &manifest);
    if (r < 0) {
        mh_log("'%s' has no run.json of `mishap run`: what was recorded by LD_PRELOAD alone cannot "
               "be repeated from here",
               o.dir);
        return MH_EXIT_MISUSE;
    }
    if (mh_judge_load(o.dir, &document) == MH_EXIT_OK && (finding = find(document, &o)))
        status = replay(&o, manifest, finding);
    json_decref(document);
    json_decref(manifest);
    return status;
}
