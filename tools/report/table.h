/* SPDX-License-Identifier: Apache-2.0 */
/* Small tables for the terminal, laid out by libsmartcols; a cell is cut to its column's width. */
#pragma once

#include <stddef.h>

#include "report/term.h"

struct mh_table_column {
    const char *head;
    int columns; /* at most so many; longer cells lose their middle */
    bool right;  /* for numbers */
};

struct mh_table;

/* NULL without memory. `columns` must live as long as the table. Free with mh_table_free(). */
struct mh_table *mh_table_new(const struct mh_term *t, const struct mh_table_column *columns,
                              size_t n);
struct mh_table *mh_table_free(struct mh_table *table);

/* Cells from left to right, one row after the other; an empty text is shown as "-". Trouble is
 * remembered and comes out of mh_table_print(). */
void mh_table_text(struct mh_table *table, const char *text);
void mh_table_printf(struct mh_table *table, const char *format, ...) MH_PRINTF(2, 3);

/* Prints the table, two columns in, and frees it. Negative errno when it could not be made. */
int mh_table_finish(struct mh_table *table, struct mh_term *t);
