/* SPDX-License-Identifier: Apache-2.0 */
/* libsmartcols lays out, we clean and cut what goes into it. */
#include "report/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define COLUMNS 8 /* at most */

struct mh_table {
    struct libscols_table *scols;
    struct libscols_line *line; /* borrowed: the row being filled */
    const struct mh_table_column *columns;
    size_t n, at;
    int room[COLUMNS]; /* what each column may really use */
    struct mh_report_options options;
    int error;
};

/* The widest columns give way until all of them fit. */
static void share_room(struct mh_table *table, int width)
{
    int total = 2 + (int)table->n - 1;

    for (size_t i = 0; i < table->n; i++) {
        table->room[i] = table->columns[i].columns;
        total += table->room[i];
    }
    for (; total > width; total--) {
        int *widest = &table->room[0];

        for (size_t i = 1; i < table->n; i++)
            if (table->room[i] > *widest)
                widest = &table->room[i];
        if (*widest <= 1)
            return;
        --*widest;
    }
}

/* The text as it will stand in this column; NULL without memory, freed by the caller. */
static char *fit(const struct mh_table *table, size_t column, const char *text)
{
    struct mh_out out = {.error = 0};
    struct mh_term t;

    mh_term_init(&t, &out, &table->options);
    mh_term_cut_middle(&t, MH_PLAIN, *text ? text : "-", table->room[column]);
    if (out.error)
        mh_out_done(&out);
    return out.data;
}

static int add_columns(const struct mh_term *t, struct mh_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        _cleanup_free_ char *head = fit(table, i, MH_TR(t->out, table->columns[i].head));
        int flags = table->columns[i].right ? SCOLS_FL_RIGHT : 0;

        if (!head || !scols_table_new_column(table->scols, head, 0, flags))
            return -ENOMEM;
    }
    return 0;
}

struct mh_table *mh_table_new(const struct mh_term *t, const struct mh_table_column *columns,
                              size_t n)
{
    struct mh_table *table = n && n <= COLUMNS ? calloc(1, sizeof(*table)) : NULL;

    if (!table)
        return NULL;
    *table = (struct mh_table){.columns = columns, .n = n, .scols = scols_new_table()};
    table->options = (struct mh_report_options){.width = t->width, .ascii = t->ascii};
    if (!table->scols)
        return mh_table_free(table);
    /* Widths are ours: the layout must not depend on the terminal. The cells are clean already. */
    scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(table->scols, 1024);
    scols_table_enable_noencoding(table->scols, 1);
    share_room(table, t->width);
    return add_columns(t, table) < 0 ? mh_table_free(table) : table;
}

struct mh_table *mh_table_free(struct mh_table *table)
{
    if (table) {
        scols_unref_table(table->scols);
        free(table);
    }
    return NULL;
}

void mh_table_text(struct mh_table *table, const char *text)
{
    _cleanup_free_ char *cell = NULL;

    if (!table || table->error)
        return;
    if (table->at % table->n == 0)
        table->line = scols_table_new_line(table->scols, NULL);
    cell = fit(table, table->at % table->n, text);
    if (!table->line || !cell || scols_line_set_data(table->line, table->at % table->n, cell) < 0)
        table->error = -ENOMEM;
    table->at++;
}

void mh_table_printf(struct mh_table *table, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mh_table_text(table, text);
}

static int finish(struct mh_table *table, struct mh_term *t)
{
    _cleanup_free_ char *text = NULL;

    if (table->error)
        return table->error;
    if (scols_print_table_to_string(table->scols, &text) < 0 || !text)
        return -ENOMEM;
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        mh_out_add(t->out, "  ");
        mh_out_add_n(t->out, line, n);
        mh_term_end(t);
        line += n + (line[n] == '\n');
    }
    return 0;
}

int mh_table_finish(struct mh_table *table, struct mh_term *t)
{
    int r = table ? finish(table, t) : -ENOMEM;

    mh_table_free(table);
    return r;
}
