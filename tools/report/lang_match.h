/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with holes for values: printf's conversions, and words in braces as in advice and in the
 * page. A sentence that was made from such a text is known by it, and its values are found. Only
 * for lang.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { MH_LANG_HOLES = 16 };

struct mh_lang_span {
    const char *text;
    size_t n;
};

struct mh_lang_match {
    const char *key;
    struct mh_lang_span spans[MH_LANG_HOLES]; /* what stands in the holes of the key, in order */
    int n;
    int literal; /* letters that the key itself gives */
    int weight;  /* how much of the text it explains: of several keys the heaviest is meant */
};

bool mh_lang_has_holes(const char *text);

/* Has a translation the holes of its key, in their order or with positions (%2$s)? One for printf
 * (`exact`) has all of them once; a sentence may leave some out, and use some twice. */
bool mh_lang_same_holes(const char *key, const char *translation, bool exact);

/* Could this text have been made from the key? A value never goes over the end of a sentence. Takes
 * what it costs off *steps; without any left the answer is no. */
bool mh_lang_match(const char *key, const char *text, struct mh_lang_match *ret, int *steps);

/* What belongs at the start of this piece of the translation, if a hole is there; NULL: a character
 * as it is. *ret_n bytes are to be passed over; *next counts holes, from 0. */
const struct mh_lang_span *mh_lang_hole(const struct mh_lang_match *match, const char *translation,
                                        int *next, size_t *ret_n);
