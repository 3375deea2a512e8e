/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns: whatever the document says is put on paper as harmless, printable characters
 * that keep within their width. The thread's locale must be UTF-8 (mh_report_write() sees to it).
 */
#pragma once

#include <stdbool.h>

#include "report/out.h"
#include "report/report.h"

enum mh_style {
    MH_PLAIN,
    MH_BOLD,
    MH_DIM,
    MH_RED,
    MH_GREEN,
    MH_YELLOW,
    MH_BLUE,
    MH_MAGENTA,
};

struct mh_term {
    struct mh_out *out;
    int width;
    bool colour, ascii;
    int column; /* of the next character, from 0 */
    int lines;  /* ended so far */
};

void mh_term_init(struct mh_term *t, struct mh_out *out, const struct mh_report_options *options);

/* Columns that this text would need. */
int mh_term_columns(const struct mh_term *t, const char *text);

/* The text; never past the right edge: cut at its end, or in its middle where the end matters too.
 */
void mh_term_put(struct mh_term *t, enum mh_style style, const char *text);
void mh_term_printf(struct mh_term *t, enum mh_style style, const char *format, ...)
    MH_PRINTF(3, 4);
void mh_term_cut(struct mh_term *t, enum mh_style style, const char *text, int columns);
void mh_term_cut_middle(struct mh_term *t, enum mh_style style, const char *text, int columns);

/* Blanks up to this column; none when it has been passed. */
void mh_term_to(struct mh_term *t, int column);

/* Words over several lines, each starting at `indent`; the last of `max_lines` is cut. */
void mh_term_wrap(struct mh_term *t, enum mh_style style, const char *text, int indent,
                  int max_lines);

/* Code: its lines and blanks are kept; only what is too wide goes on in the next line. */
void mh_term_lines(struct mh_term *t, enum mh_style style, const char *text, int indent);

void mh_term_end(struct mh_term *t);
void mh_term_line(struct mh_term *t); /* a ruled line */

/* One of ours that has an ASCII twin, `times` over. */
void mh_term_glyph(struct mh_term *t, enum mh_style style, const char *glyph, const char *twin,
                   int times);
