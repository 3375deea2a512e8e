/* SPDX-License-Identifier: Apache-2.0 */
/* Scenario files: read with raw system calls, looked over for what is no text, and given to inih
 * line by line. inih cuts long lines and names without a word, drops what follows a ']', takes any
 * indented line for a continuation and stops at no mistake; so each line is judged here first, and
 * inih sees only lines that it reads as they are meant. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/errname.h"
#include "base/macros.h"
#include "base/near.h"
#include "base/sys.h"
#include "rule/loader.h"

#include "base/banned.h"

enum { SIZE_MAX_BYTES = 1 << 20 };

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The length of the UTF-8 letter at p, at most n bytes; 0 when it is none. */
static size_t letter(const unsigned char *p, size_t n)
{
    size_t len = p[0] < 0x80                   ? 1
                 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                               : 0;

    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Anything but text, tabs and line ends is refused as a whole: one message, not one a line. */
static bool is_text(struct mh_loader *l, const struct mh_source *s)
{
    const char *what = NULL;
    int line = 1;

    for (size_t at = 0, n; at < s->len; at += n) {
        unsigned char c = (unsigned char)s->text[at];

        n = letter((const unsigned char *)s->text + at, s->len - at);
        if (c == '\n')
            line++;
        else if (c == 0)
            what = "a NUL byte";
        else if (c == 127 || (c < 32 && c != '\t' && c != '\r'))
            what = "a control character";
        else if (n == 0)
            what = "a byte that is not UTF-8";
        if (what) {
            mh_complain(l, line, "%s: this is no text file; a scenario is UTF-8 text", what);
            return false;
        }
    }
    return true;
}

static int map_file(const char *path, struct mh_source *s, const char **why)
{
    struct stat st;
    long fd, p, n;

    fd = mh_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return (int)fd;
    n = mh_sys(SYS_fstat, fd, &st);
    if (n == 0 && !S_ISREG(st.st_mode))
        *why = S_ISDIR(st.st_mode) ? "it is a directory" : "it is not a regular file";
    else if (n == 0 && st.st_size > SIZE_MAX_BYTES)
        *why = "it is larger than 1 MiB, the most that a scenario may have";
    if (n < 0 || *why) {
        mh_sys(SYS_close, fd);
        return n < 0 ? (int)n : -EINVAL;
    }
    s->mapped = (size_t)st.st_size + 1;
    p = mh_sys(SYS_mmap, 0, s->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p < 0 && p > -4096) {
        mh_sys(SYS_close, fd);
        return (int)p;
    }
    s->text = (char *)p;
    do {
        n = mh_sys(SYS_read, fd, s->text + s->len, s->mapped - 1 - s->len);
        s->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || n == -EINTR);
    mh_sys(SYS_close, fd);
    return n < 0 ? (int)n : 0;
}

bool mh_source_read(struct mh_loader *l, unsigned file, const char *path)
{
    struct mh_source *s = &l->sources[file];
    const char *why = NULL;
    int r = map_file(path, s, &why);

    l->file = file;
    if (r < 0) {
        const char *text = why ? why : mh_errno_text(-r);

        mh_complain(l, 0, "cannot read it: %s", text ? text : "unknown error");
    } else if (is_text(l, s)) {
        return true;
    }
    mh_source_done(s);
    return false;
}

void mh_source_done(struct mh_source *s)
{
    if (s->text)
        mh_sys(SYS_munmap, s->text, s->mapped);
    *s = (struct mh_source){NULL};
}

/* One line of a file, without comment and the spaces around it. */
struct line {
    const char *text;
    size_t len;
    bool indented;
};

static bool line_next(struct mh_loader *l, struct line *ret)
{
    const char *p = l->at, *end;

    if (p >= l->end)
        return false;
    end = memchr(p, '\n', (size_t)(l->end - p));
    l->at = end ? end + 1 : l->end;
    if (!end)
        end = l->end;
    l->line++;
    ret->indented = p < end && space(*p);
    while (p < end && space(*p))
        p++;
    if (p < end && (*p == ';' || *p == '#'))
        end = p;
    for (const char *c = p; c + 1 < end; c++)
        if (space(c[0]) && c[1] == ';')
            end = c;
    while (end > p && space(end[-1]))
        end--;
    ret->text = p;
    ret->len = (size_t)(end - p);
    return true;
}

static void source_start(struct mh_loader *l)
{
    const struct mh_source *s = &l->sources[l->file];

    l->at = s->text;
    l->end = s->text + s->len;
    l->line = 0;
    if (s->len >= 3 && !memcmp(s->text, "\xef\xbb\xbf", 3))
        l->at += 3;
}

/* "name =", however it is indented: a new key, though inih would take it for a continuation. */
static bool looks_like_key(const char *text)
{
    size_t n = 0;

    while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
           text[n] == '_')
        n++;
    return n > 0 && text[n + strspn(text + n, " \t")] == '=';
}

/* An indented '[' may also begin an IPv6 address that goes on with a list. */
static bool looks_like_section(const struct line *line, const char *text, bool has_key)
{
    return text[0] == '[' && (!line->indented || !has_key || !strncmp(text, "[run]", 5) ||
                              !strncmp(text, "[phase", 6) || !strncmp(text, "[fault", 6));
}

static void complain_no_value(struct mh_loader *l, const char *text)
{
    char word[MH_NAME_SIZE] = "";
    size_t n = strcspn(text, " \t");

    if (n < sizeof(word))
        memcpy(word, text, n);
    for (unsigned i = 0; i < MH_KEY_COUNT; i++)
        if (!strcmp(word, mh_key_rows[i].name)) {
            mh_complain(l, l->line, "%q has no '='; write '%s = ...'", text, word);
            return;
        }
    mh_complain(l, l->line, "%q is neither a [section] nor KEY = VALUE", text);
}

/* inih's reader: gives it the line as it shall see it, an empty one for those it shall not. */
static char *give_line(char *out, int size, void *stream)
{
    struct mh_loader *l = stream;
    struct mh_buf b = {out, (size_t)size, 0, false};
    struct line line;
    char text[MH_LOAD_LINE];

    if (!line_next(l, &line))
        return NULL;
    out[0] = '\0';
    /* room for the blank of a continuation, the line end and the NUL */
    if (line.len > MH_MIN((size_t)size, sizeof(text)) - 3) {
        mh_complain(l, l->line,
                    "the line is too long: %u characters, at most %u; lists of words may go on in "
                    "an indented line",
                    (unsigned)line.len, (unsigned)MH_MIN((size_t)size, sizeof(text)) - 3);
        mh_load_skip(l);
        if (line.text[0] == '[' && !line.indented) /* what follows is not the last section's */
            mh_load_section_end(l);
    } else if (line.len > 0) {
        memcpy(text, line.text, line.len);
        text[line.len] = '\0';
        l->continued = false;
        if (looks_like_section(&line, text, l->has_key)) {
            mh_load_section_end(l);
            mh_load_section(l, text);
            mh_buf_add(&b, "[section]");
        } else if (line.indented && l->has_key && !looks_like_key(text)) {
            l->continued = l->key != NULL;
            mh_say(&b, l->key ? " %s" : "", text);
        } else if (!text[strcspn(text, "=:")]) {
            complain_no_value(l, text);
            mh_load_skip(l);
        } else {
            mh_buf_add(&b, text);
        }
    }
    mh_buf_add_char(&b, '\n');
    return out;
}

void mh_source_scan(struct mh_loader *l)
{
    struct line line;
    struct mh_head head;
    char text[MH_LOAD_LINE];

    source_start(l);
    while (line_next(l, &line)) {
        struct mh_rules *rules = l->rules;
        struct mh_fault *f = &rules->faults[rules->nfaults];
        bool known = false;

        if (line.len == 0 || line.len >= sizeof(text))
            continue;
        memcpy(text, line.text, line.len);
        text[line.len] = '\0';
        if (!looks_like_section(&line, text, true) || !mh_head_parse(NULL, text, &head) ||
            head.section != MH_SECTION_fault || rules->nfaults == MH_MAX_FAULTS)
            continue;
        for (unsigned i = 0; i < rules->nfaults; i++)
            known = known || !strcmp(rules->faults[i].name, head.name);
        if (known)
            continue;
        memset(f, 0, sizeof(*f));
        memcpy(f->name, head.name, sizeof(head.name));
        f->file = (uint16_t)l->file;
        f->line = l->line;
        rules->nfaults++;
    }
}

void mh_source_parse(struct mh_loader *l)
{
    int r;

    source_start(l);
    l->section = MH_SECTION_none;
    l->headed = l->has_key = false;
    l->key = NULL;
    l->run_line = 0;
    r = ini_parse_stream(give_line, l, mh_load_key, l);
    mh_load_section_end(l);
    if (r != 0) /* cannot be: every line that inih refuses was refused before */
        mh_complain(l, r > 0 ? r : 0, "inih cannot read this line");
    else if (!l->headed && !l->has_key)
        mh_complain(
            l, 0, "there is no section in it; a scenario has [run], [phase NAME] or [fault NAME]");
}
