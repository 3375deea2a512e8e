/* SPDX-License-Identifier: Apache-2.0 */
/* Model, grade, reports and gate in their order; see judge.h. */
#include "judge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "cmd.h"
#include "grade/grade.h"
#include "log.h"
#include "model/model.h"
#include "report/report.h"

#include "base/banned.h"

static const struct mh_format *out_format(const struct mh_judge *j)
{
    const struct mh_format *format = NULL;

    if (j->format)
        return mh_format_named(j->format);
    if (j->out)
        format = mh_format_of_path(j->out);
    return format ? format : mh_format_named("text");
}

static void say_formats(bool suffixes)
{
    const struct mh_format *format;

    fputs(suffixes ? "        known suffixes:" : "        formats:", stderr);
    for (size_t i = 0; (format = mh_format_at(i)); i++)
        fprintf(stderr, " %s", suffixes ? format->suffixes : format->name);
    fputc('\n', stderr);
}

static int check_severity(const char *name)
{
    for (int i = MH_SEVERITY_low; i <= MH_SEVERITY_critical; i++)
        if (!strcasecmp(name, mh_severity_words[i]))
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

    if (!out_format(j)) {
        mh_log("there is no format '%s'", j->format);
        say_formats(false);
        return MH_EXIT_MISUSE;
    }
    for (size_t i = 0; i < j->nreports && !status; i++) {
        if (!mh_format_of_path(j->reports[i])) {
            mh_log("--report: the suffix of '%s' names no format", j->reports[i]);
            say_formats(true);
            return MH_EXIT_MISUSE;
        }
        status = check_file(j->reports[i]);
    }
    if (!status && j->out)
        status = check_file(j->out);
    if (!status && j->fail_on)
        status = check_severity(j->fail_on);
    if (!status && j->baseline)
        status = check_baseline(j->baseline);
    return status;
}

static int write_reports(const struct mh_judge *j, const json_t *document, const char *path)
{
    struct mh_report_options options = mh_report_options_for(j->out ? NULL : stdout);
    int status = MH_EXIT_OK, r;

    options.verbose = j->verbose;
    options.path = path;
    if (!j->silent || j->out) {
        r = mh_report_write(document, out_format(j), j->out, &options);
        if (r < 0) {
            mh_log_errno(r, "Cannot write the report to '%s'", j->out ? j->out : "stdout");
            status = MH_EXIT_TROUBLE;
        }
    }
    options = mh_report_options_for(NULL);
    options.verbose = true;
    options.path = path;
    for (size_t i = 0; i < j->nreports; i++) {
        r = mh_report_write(document, mh_format_of_path(j->reports[i]), j->reports[i], &options);
        if (r < 0) {
            mh_log_errno(r, "Cannot write the report '%s'", j->reports[i]);
            status = MH_EXIT_TROUBLE;
        }
    }
    return status;
}

static int gate(const struct mh_judge *j, const json_t *document)
{
    int status = j->fail_on ? mh_gate(document, j->fail_on) : MH_EXIT_OK;

    switch (status) {
    case MH_EXIT_GATE:
        mh_log("the gate failed: there is a finding of severity %s or worse", j->fail_on);
        break;
    case MH_EXIT_UNJUDGED:
        mh_log("the gate cannot judge: no fault fired, or too little was seen");
        break;
    case MH_EXIT_UNHEALTHY:
        mh_log("the application was unhealthy with no fault active: nothing can be said of faults");
        break;
    }
    return status < 0 ? MH_EXIT_TROUBLE : status;
}

int mh_judge_document(const struct mh_judge *j, const json_t *document, const char *path)
{
    int status = write_reports(j, document, path);

    return status ? status : gate(j, document);
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

int mh_judge_run(const struct mh_judge *j, const char *const *dirs, size_t n)
{
    const struct mh_model_options from = {.baselines = &j->baseline, .nbaselines = !!j->baseline};
    _cleanup_free_ char *dir = realpath(dirs[0], NULL);
    const struct mh_grade_options grading = {
        .run_id = dir && strrchr(dir, '/') ? strrchr(dir, '/') + 1 : NULL,
        .run_dir = dirs[0],
    };
    json_t *document = NULL;
    struct mh_model *model;
    int r = mh_model_load(dirs, n, &from, &model), status;

    if (r < 0)
        return complain(r, dirs, n);
    for (size_t i = 0; i < model->skipped.n; i++)
        mh_log("%s", mh_model_text(model, model->skipped.v[i]));
    r = mh_grade(model, &grading, &document);
    mh_model_free(model);
    if (r < 0)
        return mh_log_errno(r, "Cannot grade '%s'", dirs[0]), MH_EXIT_TROUBLE;
    status = mh_judge_document(j, document, dirs[0]);
    json_decref(document);
    return status;
}
