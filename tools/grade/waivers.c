/* SPDX-License-Identifier: Apache-2.0 */
/* Findings that somebody has agreed to live with for a while; see compare.h. The file is read by
 * inih a line at a time, since inih itself cuts long lines and names without a word. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/near.h"
#include "grade/compare.h"

#include "base/banned.h"

enum { LINE_MOST = 198 }; /* inih reads 199 bytes of a line */

struct reader {
    struct mh_waivers *into;
    struct mh_waiver *now; /* NULL: outside of a sound section */
    int line, mistakes, failed;
    bool skip; /* the section's head was wrong: its keys are not read */
    void (*complain)(void *context, int line, const char *message);
    void *context;
};

MH_PRINTF(3, 4) static void mistake(struct reader *r, int line, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    r->mistakes++;
    r->complain(r->context, line, message);
}

static bool is_id(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789abcdef") == 12;
}

static void section(struct reader *r, const char *name)
{
    struct mh_waivers *w = r->into;
    struct mh_waiver *more;

    r->now = NULL;
    r->skip = true;
    if (strncmp(name, "waiver ", 7) != 0) {
        mistake(r, r->line, "[%.60s]: sections are [waiver ID], with the id that a report shows",
                name);
        return;
    }
    name += 7 + strspn(name + 7, " ");
    if (!is_id(name)) {
        mistake(r, r->line, "'%.60s' is no id of a finding: it has 12 digits of 0-9 and a-f", name);
        return;
    }
    for (size_t i = 0; i < w->n; i++)
        if (!strcmp(w->list[i].id, name)) {
            mistake(r, r->line, "%s is waived in line %d already", name, w->list[i].line);
            return;
        }
    more = realloc(w->list, (w->n + 1) * sizeof(*more));
    if (!more) {
        r->failed = -ENOMEM;
        return;
    }
    w->list = more;
    r->now = &w->list[w->n++];
    memset(r->now, 0, sizeof(*r->now));
    snprintf(r->now->id, sizeof(r->now->id), "%s", name);
    r->now->line = r->line;
    r->skip = false;
}

/* YYYY-MM-DD, of a month and day that there are; compared as text. */
static bool is_date(const char *text)
{
    static const char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int month, day;

    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    month = (text[5] - '0') * 10 + text[6] - '0';
    day = (text[8] - '0') * 10 + text[9] - '0';
    return !text[10] && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

static const struct {
    const char *name;
    size_t at, size;
} keys[] = {
    {"reason", offsetof(struct mh_waiver, reason), sizeof(((struct mh_waiver *)0)->reason)},
    {"owner", offsetof(struct mh_waiver, owner), sizeof(((struct mh_waiver *)0)->owner)},
    {"expires", offsetof(struct mh_waiver, expires), sizeof(((struct mh_waiver *)0)->expires)},
};

static void unknown_key(struct reader *r, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (mh_near_distance(name, keys[i].name) <= 2)
            best = keys[i].name;
    if (best)
        mistake(r, r->line, "there is no key '%.60s' (did you mean '%s'?)", name, best);
    else
        mistake(r, r->line, "there is no key '%.60s'; allowed: reason, owner, expires", name);
}

static void key(struct reader *r, const char *name, const char *value)
{
    char *field = NULL;

    if (r->skip)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys) && !field; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        field = (char *)r->now + keys[i].at;
        if (*field)
            mistake(r, r->line, "%s is there twice", name);
        else if (!*value)
            mistake(r, r->line, "%s is empty", name);
        else if (!strcmp(name, "expires") && !is_date(value))
            mistake(r, r->line, "expires = %.60s: a day as YYYY-MM-DD", value);
        else if (strlen(value) >= keys[i].size)
            mistake(r, r->line, "%s is longer than %zu bytes", name, keys[i].size - 1);
        else
            snprintf(field, keys[i].size, "%s", value);
    }
    if (!field)
        unknown_key(r, name);
}

static int on_key(void *context, const char *section_name, const char *name, const char *value)
{
    key(context, name, value);
    return 1;
}

/* One line, without spaces around it: a head, or a key that inih takes apart. */
static void take_line(struct reader *r, char *line)
{
    size_t n = strlen(line);

    if (!n || *line == ';' || *line == '#')
        return;
    if (n > LINE_MOST) {
        mistake(r, r->line, "longer than %d bytes", LINE_MOST);
        return;
    }
    if (*line == '[') {
        char *end = strchr(line, ']');

        if (!end || end[1 + strspn(end + 1, " \t")]) {
            mistake(r, r->line, "'%.60s': a section is [waiver ID] and nothing after it", line);
            r->skip = true;
            return;
        }
        *end = '\0';
        section(r, line + 1);
    } else if (!r->now && !r->skip) {
        mistake(r, r->line, "'%.60s' is before the first [waiver ID]", line);
    } else if (ini_parse_string(line, on_key, r) != 0) {
        mistake(r, r->line, "'%.60s' is no 'key = value'", line);
    }
}

static void check_whole(struct reader *r)
{
    for (size_t i = 0; i < r->into->n; i++)
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            if (!*((char *)&r->into->list[i] + keys[k].at))
                mistake(r, r->into->list[i].line, "the waiver of %s has no sound '%s'",
                        r->into->list[i].id, keys[k].name);
}

/* Every line of the file; 0 or a negative errno. */
static int take_lines(struct reader *r, FILE *file)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t n;

    errno = 0;
    while (!r->failed && (n = getline(&line, &size, file)) >= 0) {
        char *from = line + strspn(line, " \t");

        r->line++;
        if (strlen(line) != (size_t)n) {
            mistake(r, r->line, "a NUL byte: this is no text file");
            return 0;
        }
        for (n = (ssize_t)strlen(from); n && isspace((unsigned char)from[n - 1]); n--)
            from[n - 1] = '\0';
        take_line(r, from);
    }
    if (!r->failed && ferror(file))
        return errno ? -errno : -EIO;
    return r->failed;
}

int mh_waivers_load(const char *path, struct mh_waivers *ret,
                    void (*complain)(void *context, int line, const char *message), void *context)
{
    struct reader r = {.into = ret, .complain = complain, .context = context};
    FILE *file = fopen(path, "re");
    int failed;

    memset(ret, 0, sizeof(*ret));
    if (!file)
        return -errno;
    failed = take_lines(&r, file);
    fclose(file);
    if (!failed && !r.mistakes)
        check_whole(&r);
    return failed ? failed : r.mistakes ? -EINVAL : 0;
}

void mh_waivers_done(struct mh_waivers *waivers)
{
    free(waivers->list);
    memset(waivers, 0, sizeof(*waivers));
}

int mh_waivers_apply(json_t *document, const struct mh_waivers *waivers, const char *today)
{
    json_t *findings = json_object_get(document, "findings"), *one, *unused = json_array();
    size_t i;

    for (size_t k = 0; k < waivers->n; k++) {
        const struct mh_waiver *w = &waivers->list[k];
        bool found = false;

        json_array_foreach(findings, i, one)
        {
            const char *id = json_string_value(json_object_get(one, "id"));

            if (!id || strcmp(id, w->id) != 0)
                continue;
            found = true;
            json_object_set_new(one, "waiver",
                                json_pack("{s:s, s:s, s:s, s:b}", "reason", w->reason, "owner",
                                          w->owner, "expires", w->expires, "expired",
                                          strcmp(today, w->expires) > 0));
        }
        if (!found)
            json_array_append_new(unused, json_string(w->id));
    }
    return json_object_set_new(document, "unused_waivers", unused) < 0 ? -ENOMEM : 0;
}
