/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people and programs; see listing.h. */
#include "listing.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "log.h"
#include "roff.h"

#include "base/banned.h"

struct mh_listing {
    const struct mh_listing_column *columns;
    size_t n, at;
    json_t *rows; /* for JSON, else NULL */
    json_t *row;  /* borrowed: the one being filled */
    struct libscols_table *table;
    bool man; /* printed at once: build rules read it, and fail when we do */
    char *group;
    struct libscols_line *line; /* borrowed: the one being filled */
    bool failed;
};

static struct mh_listing *listing_free(struct mh_listing *l)
{
    if (l) {
        json_decref(l->rows);
        scols_unref_table(l->table);
        free(l->group);
        free(l);
    }
    return NULL;
}

/* Columns between two cells are one blank wide. */
static int column_width(const struct mh_listing *l, size_t i)
{
    int left = mh_log_width(stdout);

    for (size_t j = 0; j < l->n; j++)
        left -= l->columns[j].columns + 1;
    return l->columns[i].columns ? l->columns[i].columns : MH_MAX(left, 20);
}

struct mh_listing *mh_listing_new(const struct mh_listing_column *columns, size_t n,
                                  enum mh_listing_as as)
{
    struct mh_listing *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->columns = columns;
    l->n = n;
    l->man = as == MH_LISTING_man;
    if (l->man)
        return l;
    if (as == MH_LISTING_json) {
        l->rows = json_array();
        return l->rows ? l : listing_free(l);
    }
    l->table = scols_new_table();
    if (!l->table)
        return listing_free(l);
    /* widths are ours, so that a pipe gets what a terminal gets */
    scols_table_set_termforce(l->table, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(l->table, 1024);
    scols_table_enable_noencoding(l->table, 1);
    for (size_t i = 0; i < n; i++) {
        struct libscols_column *c =
            scols_table_new_column(l->table, columns[i].head, 0, SCOLS_FL_WRAP);

        if (!c ||
            scols_column_set_wrapfunc(c, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) < 0)
            return listing_free(l);
    }
    return l;
}

/* Breaks lines at blanks. A word that is longer than a line has one of its own. */
static void wrap(char *text, int width)
{
    char *line = text, *blank = NULL;

    for (char *p = text; *p; p++) {
        if (*p != ' ')
            continue;
        if (p - line > width && blank) {
            *blank = '\n';
            line = blank + 1;
        }
        blank = p;
    }
    if (blank && (int)strlen(line) > width)
        *blank = '\n';
}

static bool add_line_cell(struct mh_listing *l, const char *text)
{
    char *copy = strdup(*text ? text : "-");

    if (l->at % l->n == 0)
        l->line = scols_table_new_line(l->table, NULL);
    if (!copy || !l->line) {
        free(copy);
        return false;
    }
    wrap(copy, column_width(l, l->at % l->n));
    if (scols_line_refer_data(l->line, l->at % l->n, copy) < 0) {
        free(copy);
        return false;
    }
    return true;
}

static json_t *json_words(const char *text)
{
    json_t *words = json_array();

    while (words && *(text += strspn(text, " "))) {
        size_t n = strcspn(text, " ");

        if (json_array_append_new(words, json_stringn(text, n)) < 0) {
            json_decref(words);
            return NULL;
        }
        text += n;
    }
    return words;
}

static bool add_json_cell(struct mh_listing *l, const char *text)
{
    const struct mh_listing_column *c = &l->columns[l->at % l->n];
    char name[32];
    size_t i;

    for (i = 0; c->head[i] && i + 1 < sizeof(name); i++)
        name[i] = (char)tolower((unsigned char)c->head[i]);
    name[i] = '\0';
    if (l->at % l->n == 0) {
        l->row = json_object();
        if (json_array_append_new(l->rows, l->row) < 0)
            return false;
    }
    return json_object_set_new(l->row, name, c->words ? json_words(text) : json_string(text)) == 0;
}

/* The group is a subsection, the next cell the tag; the last one explains. A row without a tag is
 * about its group. */
static bool add_man_cell(struct mh_listing *l, const char *text)
{
    size_t i = l->at % l->n, tag = l->columns[0].group;

    if (i < tag && (!l->group || strcmp(l->group, text) != 0)) {
        free(l->group);
        l->group = strdup(text);
        printf(".SS ");
        mh_roff_text(stdout, text);
        printf("\n");
    } else if (i == tag) {
        printf(*text ? ".TP\n.B " : ".PP");
        mh_roff_text(stdout, text);
        printf("\n");
    } else if (i > tag && *text) {
        if (i + 1 < l->n) {
            printf("%c", toupper((unsigned char)l->columns[i].head[0]));
            for (const char *p = l->columns[i].head + 1; *p; p++)
                putchar(tolower((unsigned char)*p));
            printf(": ");
        }
        mh_roff_text(stdout, text);
        printf(i + 1 < l->n ? ".\n" : "\n");
    }
    return !tag || l->group;
}

void mh_listing_add(struct mh_listing *l, const char *text)
{
    if (!l || l->failed)
        return;
    if (l->man)
        l->failed = !add_man_cell(l, text);
    else
        l->failed = !(l->rows ? add_json_cell(l, text) : add_line_cell(l, text));
    l->at++;
}

/* Cells are padded to their column; the blanks at the end of a line are not printed. */
static int print_table(struct mh_listing *l)
{
    _cleanup_free_ char *text = NULL;

    if (scols_print_table_to_string(l->table, &text) < 0 || !text)
        return -ENOMEM;
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n"), shown = n;

        while (shown > 0 && line[shown - 1] == ' ')
            shown--;
        printf("%.*s\n", (int)shown, line);
        line += n + (line[n] == '\n');
    }
    return 0;
}

int mh_listing_finish(struct mh_listing *l)
{
    int r = l && !l->failed ? 0 : -ENOMEM;

    if (r == 0 && l->rows) {
        r = json_dumpf(l->rows, stdout, JSON_INDENT(2)) < 0 ? -EIO : 0;
        putchar('\n');
    } else if (r == 0 && l->table) {
        r = print_table(l);
    }
    listing_free(l);
    return r;
}
