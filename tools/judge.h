/* SPDX-License-Identifier: Apache-2.0 */
/* From recordings to the exit status: model, grade, reports, gate. What `mishap run` and `mishap
 * report` have in common, with the options that belong to it. */
#pragma once

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { MH_MOST_REPORTS = 16, MH_MOST_ALERTS = 4 };

struct mh_judge {
    const char *reports[MH_MOST_REPORTS]; /* files; the format goes by the suffix */
    size_t nreports;
    const char *alerts[MH_MOST_ALERTS]; /* services to be told, NAME or NAME=FILE */
    size_t nalerts;
    const char *format;   /* of what goes to `out`; NULL: by its suffix, or text */
    const char *out;      /* instead of stdout; NULL stdout */
    const char *fail_on;  /* severity as the user wrote it, NULL none */
    const char *baseline; /* directory of clean recordings, NULL none */
    const char *earlier;  /* report.json to compare with, NULL none */
    const char *history;  /* file of the last runs' grades, NULL none */
    const char *waivers;  /* file, NULL none */
    const char *advice;   /* folder of files by library, NULL: what is shipped */
    const char *lang;     /* of formats for people; NULL English */
    bool silent;          /* nothing on stdout */
    bool store;           /* leave report.json beside the recordings */
    bool verbose;
};

/* --report, --alert, --fail-on, --baseline, --history, --waivers, --advice, --lang, --verbose: a
 * child parser whose input is a struct mh_judge. */
extern const struct argp mh_judge_argp;

/* Can all of it be done? Said before a long run, not after it. Returns an exit status. */
int mh_judge_check(const struct mh_judge *judge);

/* Grades the recordings below dirs, writes the reports. Returns an exit status. */
int mh_judge_run(const struct mh_judge *judge, const char *const *dirs, size_t n);

/* The same from a document that was graded before; `path` is where it came from. */
int mh_judge_document(const struct mh_judge *judge, json_t *document, const char *path);

/* Is it the name of a stored report, and not a directory of recordings? */
bool mh_judge_stored(const char *path);
/* The document of a run: stored, or graded now from the recordings below it. Says what is wrong.
 * Returns an exit status; with MH_EXIT_OK the caller owns *ret. */
int mh_judge_load(const char *path, json_t **ret);
