/* SPDX-License-Identifier: Apache-2.0 */
/* Where a format writes to: a growing piece of memory, put on disk or stdout in one go when all of
 * it is there, so that nobody ever reads half a report. An allocation that fails is remembered. */
#pragma once

#include <stddef.h>

#include "base/macros.h"
#include "report/lang.h"

struct mh_out {
    char *data; /* NUL-terminated once something was added */
    size_t len;
    size_t size;
    const struct mh_lang *lang; /* of what is added; NULL: English */
    int error; /* 0, or the first negative errno; what is added after it is dropped */
};

/* A text, or a format, in the language of this output; see lang.h. */
#define MH_TR(out, text) mh_lang_text((out)->lang, text)

void mh_out_done(struct mh_out *out);

void mh_out_add(struct mh_out *out, const char *text);
void mh_out_add_n(struct mh_out *out, const char *bytes, size_t n);
void mh_out_repeat(struct mh_out *out, const char *text, int times);
void mh_out_printf(struct mh_out *out, const char *format, ...) MH_PRINTF(2, 3);

/* Writes everything to the file: under a temporary name beside it, synced, then renamed. NULL or
 * "-" is stdout; what is no regular file (a pipe, /dev/null) is written in place. */
int mh_out_save(const struct mh_out *out, const char *path);

/* Whether mh_out_save() can be expected to succeed there; asked before a long run, not after it. */
int mh_out_check(const char *path);
