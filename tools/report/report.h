/* SPDX-License-Identifier: Apache-2.0 */
/* Report formats. Each turns the one graded document (report.schema.json) into text; none grades or
 * sorts. A format is a row in formats.def and a function; see README.md to add one. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "report/out.h"

struct mh_report_options {
    int width;    /* columns that a line of text may use: 40 or more; others are taken as 80 */
    bool colour;  /* escape codes */
    bool ascii;   /* nothing beyond ASCII */
    bool verbose; /* all of it, not one screen */
    const struct mh_lang *lang; /* of formats for people; NULL: English */
    const char *path; /* the run's directory, for the commands that are printed; NULL: unknown */
};

struct mh_format {
    const char *name;
    const char *suffixes; /* ".html .htm": what --report takes it for */
    const char *doc;      /* one line, for `mishap list formats` */
    bool prose;           /* for people: there in several languages */
    int (*write)(const json_t *document, const struct mh_report_options *options,
                 struct mh_out *out);
};

#define FORMAT(name, suffixes, doc, prose)                                                         \
    int mh_format_##name(const json_t *document, const struct mh_report_options *options,          \
                         struct mh_out *out);
#include "report/formats.def"
#undef FORMAT

/* Rows in their order, NULL past the end; by name; by the file's suffix. Static storage. */
const struct mh_format *mh_format_at(size_t i);
const struct mh_format *mh_format_named(const char *name);
const struct mh_format *mh_format_of_path(const char *path);

/* What this stream can show: terminal width, colour (NO_COLOR), UTF-8. NULL: a file, so 80 plain
 * columns of UTF-8. */
struct mh_report_options mh_report_options_for(FILE *stream);

/* Makes the report and writes it whole to `path` (NULL or "-": stdout), or leaves `path` untouched.
 * Negative errno on failure. mh_out_check() tells beforehand whether `path` can be written. */
int mh_report_write(const json_t *document, const struct mh_format *format, const char *path,
                    const struct mh_report_options *options);
