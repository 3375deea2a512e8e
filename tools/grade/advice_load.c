/* SPDX-License-Identifier: Apache-2.0 */
/* Files of advice; see config/advice/README.md. Each line is looked at before inih sees it, since
 * inih cuts long lines, and values at " ;", without a word. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "grade/advice_read.h"

#include "base/banned.h"

enum { LINE_MOST = 195 }; /* inih reads 199 bytes of a line, its end and our blank among them */

static void take_head(struct mh_advice_reader *r, char *line)
{
    char *end = strchr(line, ']');

    mh_advice_section_end(r);
    if (!end || end[1]) {
        mh_advice_mistake(
            r, r->line, "'%.60s': a section is [library] or [MH-nnnn], and nothing after it", line);
        r->skip = true;
        return;
    }
    *end = '\0';
    mh_advice_section(r, line + 1);
}

/* May inih see this line, and does it begin with "key ="? */
static bool sound(struct mh_advice_reader *r, const char *line)
{
    size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz_");

    if (strlen(line) > LINE_MOST) {
        mh_advice_mistake(r, r->line, "longer than %d bytes; a value goes on in lines of '| ...'",
                          LINE_MOST);
        return false;
    }
    if (strstr(line, " ;")) {
        mh_advice_mistake(r, r->line, "' ;' within a value: comments stand in lines of their own");
        return false;
    }
    if (*line == '|') {
        if (!r->now)
            mh_advice_mistake(r, r->line, "'%.60s' goes on with no key", line);
        return r->now;
    }
    r->now = NULL;
    if (n && line[n + strspn(line + n, " ")] == '=')
        return true;
    mh_advice_mistake(r, r->line, "'%.60s' is no 'key = value', and no line of '| ...'", line);
    return false;
}

/* inih's reader: a line as it shall see it, an empty one for those it shall not. */
static char *give_line(char *out, int size, void *stream)
{
    struct mh_advice_reader *r = stream;
    ssize_t n = getline(&r->text, &r->size, r->stream);
    char *line;

    if (n < 0 || r->failed)
        return NULL;
    r->line++;
    snprintf(out, (size_t)size, "\n");
    if (strlen(r->text) != (size_t)n) {
        mh_advice_mistake(r, r->line, "a NUL byte: this is no text file");
        return NULL;
    }
    line = r->text + strspn(r->text, " \t");
    for (n = (ssize_t)strlen(line); n && isspace((unsigned char)line[n - 1]); n--)
        line[n - 1] = '\0';
    if (!*line || *line == '#' || *line == ';')
        return out;
    for (const char *p = line; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127) {
            mh_advice_mistake(r, r->line, "a tab or another control character");
            return out;
        }
    if (*line == '[') {
        take_head(r, line);
        snprintf(out, (size_t)size, "[section]\n");
    } else if (sound(r, line))
        snprintf(out, (size_t)size, "%s%s\n", *line == '|' ? " " : "", line);
    return out;
}

static int on_key(void *context, const char *section, const char *name, const char *value)
{
    struct mh_advice_reader *r = context;

    if (*value == '|')
        mh_advice_go_on(r, value + (value[1] == ' ' ? 2 : 1));
    else
        mh_advice_take(r, name, value);
    return 1;
}

static void library_done(struct mh_advice_library *l)
{
    for (size_t i = 0; i < l->rows.n; i++)
        for (size_t k = 0; k < MH_ADVICE_TEXTS; k++)
            free(l->rows.v[i].text[k]);
    for (size_t k = 0; k < MH_ADVICE_KEYS; k++)
        free(l->text[k]);
    free(l->rows.v);
    free(l->file);
    memset(l, 0, sizeof(*l));
}

/* One file; what it says is kept only when all of it is sound. */
static int read_file(struct mh_advice *into, const char *folder, const char *name,
                     struct mh_advice_reader *r)
{
    struct mh_advice_library *l = mh_vec_add(&into->libraries);
    _cleanup_free_ char *path = NULL;

    if (!l)
        return -ENOMEM;
    l->file = strdup(name);
    if (!l->file || asprintf(&path, "%s/%s", folder, name) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    r->library = l;
    r->file = path;
    r->line = 0;
    r->before = r->mistakes;
    r->row = NULL;
    r->now = NULL;
    r->skip = r->headed = false;
    r->stream = fopen(path, "re");
    if (!r->stream) {
        mh_advice_mistake(r, 0, "cannot read it: %s", strerror(errno));
    } else {
        if (ini_parse_stream(give_line, r, on_key, r) != 0 && !r->failed &&
            r->mistakes == r->before)
            mh_advice_mistake(r, r->line, "inih cannot read this line");
        mh_advice_section_end(r);
        mh_advice_library_end(r);
        fclose(r->stream);
    }
    if (r->mistakes > r->before) {
        library_done(l);
        into->libraries.n--;
    }
    return r->failed;
}

static int is_advice(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 4, ".ini");
}

int mh_advice_load(const char *folder, mh_advice_complain *complain, void *context,
                   struct mh_advice **ret)
{
    struct mh_advice_reader r = {.complain = complain, .context = context};
    struct mh_advice *advice = calloc(1, sizeof(*advice));
    struct dirent **names = NULL;
    int n, failed = 0;

    *ret = NULL;
    if (!advice)
        return -ENOMEM;
    n = scandir(folder, &names, is_advice, alphasort);
    if (n < 0) {
        failed = -errno;
        n = 0;
    }
    for (int i = 0; i < n; i++) {
        if (!failed)
            failed = read_file(advice, folder, names[i]->d_name, &r);
        free(names[i]);
    }
    free(names);
    free(r.text);
    if (failed == -ENOMEM) {
        mh_advice_free(advice);
        return failed;
    }
    *ret = advice;
    return failed ? failed : r.mistakes ? -EINVAL : 0;
}

struct mh_advice *mh_advice_free(struct mh_advice *advice)
{
    for (size_t i = 0; advice && i < advice->libraries.n; i++)
        library_done(&advice->libraries.v[i]);
    if (advice)
        free(advice->libraries.v);
    free(advice);
    return NULL;
}
