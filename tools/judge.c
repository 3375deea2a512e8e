/* SPDX-License-Identifier: Apache-2.0 */
/* Model, grade, reports and gate in their order; see judge.h. */
#include "judge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "advice.h"
#include "alert.h"
#include "base/macros.h"
#include "cmd.h"
#include "grade/compare.h"
#include "grade/grade.h"
#include "history.h"
#include "lang.h"
#include "log.h"
#include "model/model.h"
#include "otlp.h"
#include "planned.h"
#include "report/report.h"
#include "run/manifest.h"

#include "base/banned.h"

enum { SCHEMA_VERSION = 1 };

static const struct mh_format *out_format(const struct mh_judge *j)
{
    const struct mh_format *format = NULL;

    if (j->format)
        return mh_format_named(j->format);
    if (j->out)
        format = mh_format_of_path(j->out);
    return format ? format : mh_format_named("text");
}

/* Spans are made of the model, which no other format sees. */
static bool out_is_otlp(const struct mh_judge *j)
{
    return j->format ? !strcmp(j->format, "otlp") : mh_otlp_path(j->out);
}

static bool wants_model(const struct mh_judge *j)
{
    for (size_t i = 0; i < j->nreports; i++)
        if (mh_otlp_path(j->reports[i]))
            return true;
    return out_is_otlp(j);
}

static void say_formats(bool suffixes)
{
    const struct mh_format *format;

    fputs(suffixes ? "        known suffixes:" : "        formats:", stderr);
    for (size_t i = 0; (format = mh_format_at(i)); i++)
        fprintf(stderr, " %s", suffixes ? format->suffixes : format->name);
    fputs(suffixes ? " .otlp\n" : " trace otlp\n", stderr);
}

static int check_severity(const char *name)
{
    if (mh_severity_named(name) >= 0)
        return MH_EXIT_OK;
    mh_log("--fail-on: '%s' is not a severity: low, medium, high or critical", name);
    return MH_EXIT_MISUSE;
}

static int check_baseline(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0)
        return MH_EXIT_OK;
    mh_log_errno(-errno, "--baseline: cannot use '%s'", path);
    return MH_EXIT_MISUSE;
}

static void complain_of_waivers(void *context, int line, const char *message)
{
    if (line)
        mh_log("%s:%d: %s", (const char *)context, line, message);
    else
        mh_log("%s: %s", (const char *)context, message);
}

/* Returns an exit status; the caller owns *ret, also after a failure. */
static int read_waivers(const char *path, struct mh_waivers *ret)
{
    int r = mh_waivers_load(path, ret, complain_of_waivers, (void *)(uintptr_t)path);

    if (r < 0 && r != -EINVAL)
        mh_log_errno(r, "--waivers: cannot read '%s'", path);
    return r < 0 ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

static int check_waivers(const char *path)
{
    struct mh_waivers waivers;
    int status = read_waivers(path, &waivers);

    mh_waivers_done(&waivers);
    return status;
}

static int check_earlier(const char *path)
{
    json_t *document = NULL;
    int status = mh_judge_load(path, &document);

    json_decref(document);
    return status ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

static int check_lang(const char *name)
{
    struct mh_lang *lang;
    int status = mh_lang_open(name, &lang);

    mh_lang_free(lang);
    return status;
}

static int check_advice(const char *folder)
{
    int status;

    mh_advice_free(mh_advice_open(folder, &status));
    return status ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

static int check_file(const char *path)
{
    int r = mh_out_check(path);

    if (r >= 0)
        return MH_EXIT_OK;
    mh_log_errno(r, "Cannot write '%s'", path);
    return MH_EXIT_MISUSE;
}

int mh_judge_check(const struct mh_judge *j)
{
    int status = MH_EXIT_OK;

    if (!out_format(j) && !out_is_otlp(j)) {
        mh_log("there is no format '%s'", j->format);
        say_formats(false);
        return MH_EXIT_MISUSE;
    }
    for (size_t i = 0; i < j->nreports && !status; i++) {
        if (!mh_format_of_path(j->reports[i]) && !mh_otlp_path(j->reports[i])) {
            mh_log("--report: the suffix of '%s' names no format", j->reports[i]);
            say_formats(true);
            return MH_EXIT_MISUSE;
        }
        status = check_file(j->reports[i]);
    }
    if (!status && j->out)
        status = check_file(j->out);
    for (size_t i = 0; i < j->nalerts && !status; i++)
        status = mh_alert_check(j->alerts[i]);
    if (!status && j->fail_on)
        status = check_severity(j->fail_on);
    if (!status && j->baseline)
        status = check_baseline(j->baseline);
    if (!status && j->earlier)
        status = check_earlier(j->earlier);
    if (!status && j->history)
        status = mh_history_check(j->history);
    if (!status && j->waivers)
        status = check_waivers(j->waivers);
    if (!status && j->advice)
        status = check_advice(j->advice);
    if (!status && j->lang)
        status = check_lang(j->lang);
    return status;
}

static int write_in(const struct mh_judge *j, const json_t *document, const struct mh_model *model,
                    const char *path, const struct mh_lang *lang)
{
    struct mh_report_options options = mh_report_options_for(j->out ? NULL : stdout);
    int status = MH_EXIT_OK, r;

    options.lang = lang;
    options.verbose = j->verbose;
    options.path = path;
    if (!j->silent || j->out) {
        r = out_is_otlp(j) ? mh_otlp_write(model, document, j->out)
                           : mh_report_write(document, out_format(j), j->out, &options);
        if (r < 0) {
            mh_log_errno(r, "Cannot write the report to '%s'", j->out ? j->out : "stdout");
            status = MH_EXIT_TROUBLE;
        }
    }
    options = mh_report_options_for(NULL);
    options.lang = lang;
    options.verbose = true;
    options.path = path;
    for (size_t i = 0; i < j->nreports; i++) {
        const char *file = j->reports[i];

        r = mh_otlp_path(file) ? mh_otlp_write(model, document, file)
                               : mh_report_write(document, mh_format_of_path(file), file, &options);
        if (r < 0) {
            mh_log_errno(r, "Cannot write the report '%s'", j->reports[i]);
            status = MH_EXIT_TROUBLE;
        }
    }
    return status;
}

static int write_reports(const struct mh_judge *j, const json_t *document,
                         const struct mh_model *model, const char *path)
{
    struct mh_lang *lang;
    int opened = mh_lang_open(j->lang, &lang); /* without it in English: better than nothing */
    int status = write_in(j, document, model, path, lang);

    mh_lang_free(lang);
    return status ? status : opened;
}

/* What `mishap diff` and --baseline take later. A directory that cannot be written to is no reason
 * to fail: the reports that were asked for are elsewhere. */
static void store(const json_t *document, const char *dir)
{
    struct mh_report_options options = mh_report_options_for(NULL);
    char *path;
    int r;

    if (asprintf(&path, "%s/report.json", dir) < 0)
        return;
    r = mh_report_write(document, mh_format_named("json"), path, &options);
    if (r < 0)
        mh_log_errno(r, "The report was not stored as '%s'", path);
    free(path);
}

static int gate(const struct mh_judge *j, const json_t *document)
{
    const char *least = j->fail_on ? j->fail_on : j->earlier ? "low" : NULL;
    int status = least ? mh_gate(document, least) : MH_EXIT_OK;
    const json_t *cut = json_object_get(json_object_get(document, "run"), "cut");

    switch (status) {
    case MH_EXIT_GATE:
        mh_log("the gate failed: there is a %sfinding of severity %s or worse",
               j->earlier ? "new or worse " : "", least);
        break;
    case MH_EXIT_UNJUDGED:
        if (json_array_size(cut))
            mh_log("the gate cannot judge: %s", json_string_value(json_array_get(cut, 0)));
        else
            mh_log("the gate cannot judge: no fault fired, or too little was seen%s",
                   j->earlier ? ", or a fault of the baseline did not fire" : "");
        break;
    case MH_EXIT_UNHEALTHY:
        mh_log("the application was unhealthy with no fault active: nothing can be said of faults");
        break;
    }
    return status < 0 ? MH_EXIT_TROUBLE : status;
}

/* Today, UTC, as YYYY-MM-DD. */
static void name_today(char ret[11])
{
    time_t now = time(NULL);
    struct tm day;

    strftime(ret, 11, "%Y-%m-%d", gmtime_r(&now, &day));
}

static int apply_waivers(const struct mh_judge *j, json_t *document)
{
    struct mh_waivers waivers;
    int status = read_waivers(j->waivers, &waivers), r = 0;
    char today[11];

    name_today(today);
    if (!status)
        r = mh_waivers_apply(document, &waivers, today);
    mh_waivers_done(&waivers);
    return r < 0 ? MH_EXIT_TROUBLE : status;
}

static int compare(const struct mh_judge *j, json_t *document)
{
    json_t *earlier = NULL;
    int status = mh_judge_load(j->earlier, &earlier);

    if (!status && mh_compare(document, earlier) < 0)
        status = MH_EXIT_TROUBLE;
    json_decref(earlier);
    return status;
}

static int judge(const struct mh_judge *j, json_t *document, const struct mh_model *model,
                 const char *path)
{
    int status = j->earlier ? compare(j, document) : MH_EXIT_OK, kept = MH_EXIT_OK;

    if (!status && j->waivers)
        status = apply_waivers(j, document);
    if (status)
        return status;
    if (j->history) /* without it there are reports all the same, but never a good end */
        kept = mh_history_add(j->history, document);
    if (j->store)
        store(document, path);
    status = write_reports(j, document, model, path);
    if (!status)
        status = kept ? kept : gate(j, document);
    for (size_t i = 0; i < j->nalerts; i++)
        mh_alert_send(j->alerts[i], document, status);
    return status;
}

int mh_judge_document(const struct mh_judge *j, json_t *document, const char *path)
{
    return judge(j, document, NULL, path);
}

static int complain(int r, const char *const *dirs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (r == -ENOENT)
            mh_log("there is no recording (*.mhr) in '%s'", dirs[i]);
        else if (r == -EBADMSG)
            mh_log("no recording in '%s' can be read", dirs[i]);
        else
            mh_log_errno(r, "Cannot read the recordings in '%s'", dirs[i]);
    }
    return MH_EXIT_TROUBLE;
}

/* When earlier runs were made that were full ones, by the history and the earlier report. Room for
 * MH_HISTORY_RUNS + 2. */
static void find_full_runs(const json_t *history, const json_t *earlier, const char **ret)
{
    const json_t *one;
    size_t i, n = 0;

    json_array_foreach(history, i, one)
    {
        if (n < MH_HISTORY_RUNS && json_is_true(json_object_get(one, "full")))
            ret[n++] = mh_document_text(one, "started");
    }
    ret[n++] = mh_history_full_run(earlier);
    ret[n] = NULL;
}

/* Its texts belong to the manifest, `full` to the caller. */
static struct mh_past past_of(const struct mh_judge *j, const json_t *manifest,
                              const json_t *earlier, const char *const *full)
{
    const char *fail_on = json_string_value(json_object_get(manifest, "fail_on"));

    return (struct mh_past){
        .known = manifest != NULL,
        .plan = json_string_value(json_object_get(manifest, "plan")),
        .pipeline = json_string_value(json_object_get(manifest, "pipeline")),
        .gate = fail_on || (j && (j->fail_on || j->earlier)),
        .compared = earlier || json_is_true(json_object_get(manifest, "compared")),
        .kept = j && j->history,
        .full = full,
    };
}

/* Returns an exit status; with MH_EXIT_OK the caller owns *ret, and *ret_model unless it is NULL.
 */
static int grade_with(const char *const *dirs, size_t n, const char *baseline, const char *advice,
                      const struct mh_past *past, struct mh_model **ret_model, json_t **ret)
{
    const struct mh_model_options from = {
        .baselines = &baseline, .nbaselines = !!baseline, .supervised = past->known};
    _cleanup_free_ char *dir = realpath(dirs[0], NULL);
    struct mh_grade_options grading = {
        .run_id = dir && strrchr(dir, '/') ? strrchr(dir, '/') + 1 : NULL,
        .run_dir = dirs[0],
        .repeatable = past->known,
        .past = past,
    };
    struct mh_advice *opened;
    struct mh_model *model;
    int r = mh_model_load(dirs, n, &from, &model);

    if (r < 0)
        return complain(r, dirs, n);
    for (size_t i = 0; i < model->skipped.n; i++)
        mh_log("%s", mh_model_text(model, model->skipped.v[i]));
    opened = mh_advice_open(advice, NULL);
    grading.advice = opened;
    r = mh_grade(model, &grading, ret);
    mh_advice_free(opened);
    if (r >= 0 && ret_model)
        *ret_model = model;
    else
        mh_model_free(model);
    if (r < 0)
        return mh_log_errno(r, "Cannot grade '%s'", dirs[0]), MH_EXIT_TROUBLE;
    return MH_EXIT_OK;
}

/* `j`: what was asked for with it; NULL when it is an earlier run that is graded. */
static int grade(const struct mh_judge *j, const char *const *dirs, size_t n,
                 struct mh_model **ret_model, json_t **ret)
{
    json_t *manifest = NULL, *earlier = NULL, *history = NULL;
    const char *full[MH_HISTORY_RUNS + 2], *baseline = j ? j->baseline : NULL, *run;
    struct mh_planned planned;
    struct mh_past past;
    int status;

    if (n == 1 && mh_planned(dirs[0], &planned)) {
        run = planned.run;
        dirs = &run;
        baseline = baseline ? baseline : planned.clean;
    }
    if (mh_manifest_load(dirs[0], &manifest))
        manifest = NULL;
    if (j && j->earlier && mh_judge_load(j->earlier, &earlier))
        earlier = NULL; /* said again, and louder, when the two are compared */
    if (j && j->history)
        mh_history_load(j->history, &history);
    find_full_runs(history, earlier, full);
    past = past_of(j, manifest, earlier, full);
    status = grade_with(dirs, n, baseline, j ? j->advice : NULL, &past, ret_model, ret);
    json_decref(history);
    json_decref(earlier);
    json_decref(manifest);
    return status;
}

int mh_judge_run(const struct mh_judge *j, const char *const *dirs, size_t n)
{
    struct mh_model *model = NULL;
    json_t *document = NULL;
    int status = grade(j, dirs, n, wants_model(j) ? &model : NULL, &document);

    if (status)
        return status;
    status = judge(j, document, model, dirs[0]);
    json_decref(document);
    mh_model_free(model);
    return status;
}

bool mh_judge_stored(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && !strcmp(path + n - 5, ".json");
}

static int read_stored(const char *path, json_t **ret)
{
    json_error_t error;
    json_t *document = json_load_file(path, 0, &error);

    if (!document) {
        mh_log("%s:%d: %s", path, error.line, error.text);
        return MH_EXIT_TROUBLE;
    }
    if (json_integer_value(json_object_get(document, "schema_version")) != SCHEMA_VERSION) {
        mh_log("%s is not a report of mishap that this version can read", path);
        json_decref(document);
        return MH_EXIT_TROUBLE;
    }
    *ret = document;
    return MH_EXIT_OK;
}

int mh_judge_load(const char *path, json_t **ret)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return mh_log_errno(-errno, "Cannot read '%s'", path), MH_EXIT_MISUSE;
    return mh_judge_stored(path) ? read_stored(path, ret) : grade(NULL, &path, 1, NULL, ret);
}
