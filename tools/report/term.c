/* SPDX-License-Identifier: Apache-2.0 */
/* Columns, styles and clean characters. A control or a bidirectional mark in a name could repaint
 * the terminal or turn a line around, so they are shown as '?'. */
#include "report/term.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "report/utf8.h"

#include "base/banned.h"

static const char *const codes[] = {
    [MH_PLAIN] = "",   [MH_BOLD] = "1",    [MH_DIM] = "2",   [MH_RED] = "31",
    [MH_GREEN] = "32", [MH_YELLOW] = "33", [MH_BLUE] = "34", [MH_MAGENTA] = "35",
};

/* Letters with accents, from U+00C0 on, as ASCII has them: a translation must stay readable. */
enum { ACCENTED = 0xc0 };
static const char plain_letters[] =
    "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";

/* One character as it will be shown. */
struct cell {
    const char *bytes;
    int n, columns;
};

void mh_term_init(struct mh_term *t, struct mh_out *out, const struct mh_report_options *options)
{
    *t = (struct mh_term){
        .out = out, .width = options->width, .colour = options->colour, .ascii = options->ascii};
}

static struct cell cell_at(const struct mh_term *t, const char *text)
{
    struct cell cell = {text, 1, 1};
    uint32_t code = mh_utf8_next(text, &cell.n);
    int columns;

    if (code == '\n' || code == '\t' || code == '\r')
        return (struct cell){" ", cell.n, 1};
    if (code >= 0x20 && code < 0x7f)
        return cell;
    if (t->ascii && code >= ACCENTED && code < ACCENTED + sizeof(plain_letters) - 1)
        return (struct cell){&plain_letters[code - ACCENTED], cell.n, 1};
    columns = mh_utf8_harmless(code) && !t->ascii ? wcwidth((wchar_t)code) : -1;
    if (columns < 0)
        return (struct cell){"?", cell.n, 1};
    cell.columns = columns;
    return cell;
}

static void add_cell(struct mh_term *t, const char *text, struct cell cell)
{
    mh_out_add_n(t->out, cell.bytes, cell.bytes == text ? (size_t)cell.n : 1);
    t->column += cell.columns;
}

int mh_term_columns(const struct mh_term *t, const char *text)
{
    int columns = 0;

    while (*text) {
        struct cell cell = cell_at(t, text);

        columns += cell.columns;
        text += cell.n;
    }
    return columns;
}

/* Shows at most this many columns of the text, and returns where it stopped. */
static const char *add_columns(struct mh_term *t, const char *text, int columns)
{
    while (*text) {
        struct cell cell = cell_at(t, text);

        if (cell.columns > columns)
            break;
        add_cell(t, text, cell);
        columns -= cell.columns;
        text += cell.n;
    }
    return text;
}

static void begin(struct mh_term *t, enum mh_style style)
{
    if (t->colour && style != MH_PLAIN)
        mh_out_printf(t->out, "\033[%sm", codes[style]);
}

static void finish(struct mh_term *t, enum mh_style style)
{
    if (t->colour && style != MH_PLAIN)
        mh_out_add(t->out, "\033[0m");
}

/* Text that is too long loses its end, or its middle when the end tells as much as the start. */
static void cut(struct mh_term *t, enum mh_style style, const char *text, int columns, bool middle)
{
    const char *mark = t->ascii ? ".." : "\xe2\x80\xa6";
    int mark_columns = t->ascii ? 2 : 1, total = mh_term_columns(t, text), head, tail;

    columns = MH_MIN(columns, t->width - t->column);
    if (columns <= 0)
        return;
    begin(t, style);
    if (total <= columns) {
        add_columns(t, text, columns);
    } else if (columns <= mark_columns + 2) {
        add_columns(t, text, columns);
    } else {
        tail = middle ? (columns - mark_columns) / 2 : 0;
        head = columns - mark_columns - tail;
        add_columns(t, text, head);
        mh_out_add(t->out, mark);
        t->column += mark_columns;
        for (; total > tail && *text; text += cell_at(t, text).n)
            total -= cell_at(t, text).columns;
        add_columns(t, text, tail);
    }
    finish(t, style);
}

void mh_term_put(struct mh_term *t, enum mh_style style, const char *text)
{
    cut(t, style, text, INT_MAX, false);
}

void mh_term_cut(struct mh_term *t, enum mh_style style, const char *text, int columns)
{
    cut(t, style, text, columns, false);
}

void mh_term_cut_middle(struct mh_term *t, enum mh_style style, const char *text, int columns)
{
    cut(t, style, text, columns, true);
}

void mh_term_printf(struct mh_term *t, enum mh_style style, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mh_term_put(t, style, text);
}

void mh_term_to(struct mh_term *t, int column)
{
    column = MH_MIN(column, t->width);
    if (column > t->column) {
        mh_out_repeat(t->out, " ", column - t->column);
        t->column = column;
    }
}

/* How many bytes of the text go on a line of so many columns: up to a blank, or what just fits. */
static size_t line_bytes(const struct mh_term *t, const char *text, int columns)
{
    const char *at = text, *blank = NULL;

    while (*at) {
        struct cell cell = cell_at(t, at);

        if (*at == ' ' && at > text)
            blank = at;
        if (cell.columns > columns)
            return blank ? (size_t)(blank - text) : MH_MAX((size_t)(at - text), (size_t)cell.n);
        columns -= cell.columns;
        at += cell.n;
    }
    return (size_t)(at - text);
}

void mh_term_wrap(struct mh_term *t, enum mh_style style, const char *text, int indent,
                  int max_lines)
{
    int columns = MH_MAX(t->width - indent, 8);

    for (int line = 1; line == 1 || *text; line++) {
        size_t n = line_bytes(t, text, columns);

        mh_term_to(t, indent);
        if (line == max_lines) {
            mh_term_put(t, style, text);
            mh_term_end(t);
            return;
        }
        begin(t, style);
        for (const char *end = text + n; text < end;) {
            struct cell cell = cell_at(t, text);

            add_cell(t, text, cell);
            text += cell.n;
        }
        finish(t, style);
        mh_term_end(t);
        text += strspn(text, " ");
    }
}

void mh_term_lines(struct mh_term *t, enum mh_style style, const char *text, int indent)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = strndup(text, n);

        if (line)
            mh_term_wrap(t, style, line, indent, INT_MAX);
        else
            t->out->error = -ENOMEM;
        free(line);
        text += n + (text[n] == '\n');
    }
}

void mh_term_end(struct mh_term *t)
{
    while (t->out->len && t->out->data[t->out->len - 1] == ' ')
        t->out->data[--t->out->len] = '\0';
    mh_out_add(t->out, "\n");
    t->column = 0;
    t->lines++;
}

void mh_term_line(struct mh_term *t)
{
    mh_term_glyph(t, MH_DIM, "\xe2\x94\x80", "-", t->width - 2);
    mh_term_end(t);
}

void mh_term_glyph(struct mh_term *t, enum mh_style style, const char *glyph, const char *twin,
                   int times)
{
    times = MH_MIN(times, t->width - t->column);
    if (times <= 0)
        return;
    begin(t, style);
    mh_out_repeat(t->out, t->ascii ? twin : glyph, times);
    finish(t, style);
    t->column += times;
}
