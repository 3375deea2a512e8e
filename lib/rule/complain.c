/* SPDX-License-Identifier: Apache-2.0 */
/* How the loader says what is wrong: without stdio or memory of its own; see loader.h. */
#include <limits.h>
#include <string.h>

#include "base/macros.h"
#include "base/near.h"
#include "rule/loader.h"

#include "base/banned.h"

enum { QUOTED_MAX = 60 };

static void say_quoted(struct mh_buf *b, const char *text)
{
    size_t n = strlen(text), shown = n;

    if (n > QUOTED_MAX) {
        shown = QUOTED_MAX - 3;
        while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80) /* not within a letter */
            shown--;
    }
    mh_buf_add_char(b, '\'');
    mh_buf_add_n(b, text, shown);
    mh_buf_add(b, shown < n ? "...'" : "'");
}

void mh_say_args(struct mh_buf *b, const char *format, va_list args)
{
    for (const char *p = format; *p; p++) {
        if (*p != '%') {
            mh_buf_add_char(b, *p);
            continue;
        }
        switch (*++p) {
        case 's':
            mh_buf_add(b, va_arg(args, const char *));
            break;
        case 'q':
            say_quoted(b, va_arg(args, const char *));
            break;
        case 'u':
            mh_buf_add_uint(b, va_arg(args, unsigned), 10);
            break;
        default:
            mh_buf_add_char(b, *p);
            break;
        }
    }
}

void mh_say(struct mh_buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mh_say_args(b, format, args);
    va_end(args);
}

static unsigned file_of(const struct mh_loader *l, const struct mh_mistake *m)
{
    unsigned i = 0;

    while (i < l->rules->nfiles && strcmp(l->rules->files[i], m->file) != 0)
        i++;
    return i;
}

/* Kept in the order of file and line, though whole sections are judged after their lines. */
static struct mh_mistake *mistake_new(struct mh_loader *l, unsigned file, int line)
{
    struct mh_mistakes *all = l->mistakes;
    unsigned kept = MH_MIN(all->n, (unsigned)ARRAY_SIZE(all->at)), at = kept;

    all->n++;
    while (at > 0 && (file_of(l, &all->at[at - 1]) > file ||
                      (file_of(l, &all->at[at - 1]) == file && all->at[at - 1].line > line)))
        at--;
    if (at == ARRAY_SIZE(all->at))
        return NULL;
    if (kept == ARRAY_SIZE(all->at))
        kept--;
    memmove(&all->at[at + 1], &all->at[at], (kept - at) * sizeof(all->at[0]));
    return &all->at[at];
}

static void complain(struct mh_loader *l, unsigned file, int line, const char *format, va_list args)
{
    struct mh_mistake *m = mistake_new(l, file, line);
    struct mh_buf b;

    if (!m)
        return;
    b = (struct mh_buf){m->file, sizeof(m->file), 0, false};
    mh_buf_add(&b, file < l->rules->nfiles ? l->rules->files[file] : "");
    m->line = line;
    b = (struct mh_buf){m->text, sizeof(m->text), 0, false};
    mh_say_args(&b, format, args);
    if (b.cut)
        memcpy(m->text + sizeof(m->text) - 4, "...", 4);
}

void mh_complain_in(struct mh_loader *l, unsigned file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(l, file, line, format, args);
    va_end(args);
}

void mh_complain(struct mh_loader *l, int line, const char *format, ...)
{
    va_list args;

    l->unsure |= l->section == MH_SECTION_none || l->section == MH_SECTION_phase;
    va_start(args, format);
    complain(l, l->file, line, format, args);
    va_end(args);
}

void mh_complain_value(struct mh_loader *l, const struct mh_key_row *key, const char *text,
                       const char *format, ...)
{
    MH_BUF(why, 240);
    MH_BUF(allowed, 240);
    va_list args;

    va_start(args, format);
    mh_say_args(&why, format, args);
    va_end(args);
    mh_key_allowed(key, &allowed);
    mh_complain(l, l->line, "%s = %q: %s%s; allowed: %s", key->name, text, why.data,
                strstr(text, " #") ? " (a comment after a value begins with ';')" : "",
                allowed.data);
}

void mh_nearest_try(struct mh_nearest *n, const char *candidate)
{
    unsigned distance = mh_near_distance(n->word, candidate);

    if (!n->best || distance < n->least) {
        n->best = candidate;
        n->least = distance;
    }
}

bool mh_nearest_say(const struct mh_nearest *n, struct mh_buf *b, const char *format,
                    const char *otherwise)
{
    /* a third of the letters may be wrong: more would be guessing */
    bool found = n->best && n->least <= (strlen(n->word) + 1) / 3;

    if (found)
        mh_say(b, format, n->best);
    else
        mh_buf_add(b, otherwise);
    return found;
}
