/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that a verb prints: for people (libsmartcols), for programs (a JSON array of objects), for
 * man pages (a tagged paragraph per row). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mh_listing_column {
    const char *head; /* in JSON the same in small letters */
    int columns;      /* longer cells go on in further lines; 0: what the terminal leaves */
    bool words;       /* a list with blanks between; in JSON an array */
    bool group;       /* in a man page a subsection per value; first column only */
};

enum mh_listing_as { MH_LISTING_text, MH_LISTING_json, MH_LISTING_man };

struct mh_listing;

/* NULL without memory. `columns` must live as long. */
struct mh_listing *mh_listing_new(const struct mh_listing_column *columns, size_t n,
                                  enum mh_listing_as as);

/* Cells from left to right, row after row; trouble comes out of mh_listing_finish(). */
void mh_listing_add(struct mh_listing *l, const char *text);

/* Prints to stdout and frees. Returns 0 or a negative errno. */
int mh_listing_finish(struct mh_listing *l);
