/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of log records; see logsink.h. It walks from word to word; colour sequences of
 * terminals count as nothing. What a word is depends on itself (logword.h) and on what stands
 * before and behind it. */
#include "wire/logsink.h"

#include <string.h>

#include "base/buf.h"
#include "base/errname.h"
#include "base/macros.h"
#include "wire/logword.h"
#include "wire/mask.h"

#include "base/banned.h"

enum class { EXCEPTION, ERRNO, PEER, CLASSES };

struct scan {
    const char *p, *end;
    const char *value; /* where the value of a level key begins, NULL: none is expected */
    const char *trace; /* the same of a trace id's key */
    mh_log_peer_known *known;
    char before;   /* last byte before the word that is no colour; '\n' at the begin */
    bool levelled; /* this line has its level */
    enum { NO_TRACEBACK, HEADER, FRAMES } within; /* where in a traceback the walk is */
    unsigned kept[CLASSES];
    struct mh_log_facts *ret;
    struct mh_buf tokens;
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char at(const struct scan *s, const char *p)
{
    return p < s->end ? *p : '\n';
}

/* Past colour sequences: ESC [ parameters letter. */
static const char *skip_colour(const struct scan *s, const char *p)
{
    while (at(s, p) == '\033') {
        p++;
        if (at(s, p) != '[')
            continue;
        for (p++; p < s->end && (*p < '@' || *p > '~');)
            p++;
        if (p < s->end)
            p++;
    }
    return p;
}

static bool has_token(const struct mh_buf *b, const char *token, size_t n)
{
    for (size_t i = 0; i + n <= b->len; i++)
        if (!memcmp(b->data + i, token, n) && (!i || b->data[i - 1] == ' ') &&
            (i + n == b->len || b->data[i + n] == ' '))
            return true;
    return false;
}

static void keep(struct scan *s, enum class class, const char *token, size_t n)
{
    size_t space = s->tokens.len > 0;

    if (!n || s->kept[class] >= MH_LOG_PER_CLASS || s->tokens.len + space + n > MH_LOG_TOKENS ||
        has_token(&s->tokens, token, n))
        return;
    if (space)
        mh_buf_add_char(&s->tokens, ' ');
    mh_buf_add_n(&s->tokens, token, n);
    s->kept[class]++;
}

static void keep_peer(struct scan *s, const char *host, size_t n, unsigned long port)
{
    MH_BUF(peer, 72);

    if (s->known && !s->known(host, n, port))
        return;
    mh_buf_add_n(&peer, host, n);
    mh_buf_add_char(&peer, ':');
    mh_buf_add_uint(&peer, port, 10);
    keep(s, PEER, peer.data, peer.len);
}

/* The number at p; 0 when there is none of 1 to 5 digits, or more than a number follows. */
static unsigned long number(const struct scan *s, const char *p, const char **ret_end)
{
    const char *q = p;
    unsigned long ret = 0;

    while (is_digit(at(s, q)) && q - p < 6)
        ret = ret * 10 + (unsigned long)(*q++ - '0');
    *ret_end = q;
    return q == p || q - p > 5 || is_word(at(s, q)) ? 0 : ret;
}

/* --- levels ----------------------------------------------------------------------------------- */

static void level(struct scan *s, enum mh_level level)
{
    s->levelled = true;
    if (level > s->ret->level)
        s->ret->level = level;
}

/* `[error    ]`, as structlog writes it: the word fills the brackets. */
static bool in_brackets(const struct scan *s, const char *end)
{
    const char *p = skip_colour(s, end);

    while (at(s, p) == ' ' || at(s, p) == '\033')
        p = *p == ' ' ? p + 1 : skip_colour(s, p);
    return s->before == '[' && at(s, p) == ']';
}

static void level_word(struct scan *s, const char *word, size_t n)
{
    char after = at(s, skip_colour(s, word + n));
    bool placed = word == s->value || in_brackets(s, word + n);
    enum mh_level found = mh_word_level(word, n, placed);

    if (found == MH_LEVEL_none || s->levelled)
        return;
    if (placed || (!strchr("./\\-@#$%", s->before) && !strchr("(.@=", after)))
        level(s, found);
}

/* Behind `level`, `"level"`, `log.level`: a colon or equals sign, quotes and spaces, then its
 * value. NULL when there is none. */
static const char *value_of(const struct scan *s, const char *key, size_t n)
{
    const char *p = skip_colour(s, key + n);
    bool joined = false;

    for (unsigned i = 0; i < 6 && p < s->end && strchr("\"' :=\033", *p); i++) {
        joined = joined || *p == ':' || *p == '=';
        p = *p == '\033' ? skip_colour(s, p) : p + 1;
    }
    return joined ? p : NULL;
}

/* severities of syslog(3) */
static const enum mh_level severities[8] = {
    MH_LEVEL_critical, MH_LEVEL_critical, MH_LEVEL_critical, MH_LEVEL_error,
    MH_LEVEL_warning,  MH_LEVEL_info,     MH_LEVEL_info,     MH_LEVEL_debug,
};

/* "PRIORITY=3" is a line of its own in what journald is sent. */
static void journal_priority(struct scan *s, const char *word, size_t n)
{
    if (n == 8 && s->before == '\n' && !memcmp(word, "PRIORITY", 8) && s->end - word > 9 &&
        word[8] == '=' && word[9] >= '0' && word[9] <= '7' && at(s, word + 10) == '\n')
        level(s, severities[word[9] - '0']);
}

static void trace(struct scan *s, const char *word, size_t n)
{
    const char *id = s->ret->trace[0] ? NULL : mh_word_trace(word, n, word == s->trace);

    if (id)
        memcpy(s->ret->trace, id, sizeof(s->ret->trace) - 1);
    s->trace = mh_word_trace_key(word, n) ? value_of(s, word, n) : NULL;
}

/* "<11>" before a syslog message: facility * 8 + severity. */
static void syslog_priority(struct scan *s)
{
    const char *end;
    unsigned long priority;

    if (at(s, s->p) != '<' || !is_digit(at(s, s->p + 1)))
        return;
    priority = number(s, s->p + 1, &end);
    if (at(s, end) == '>' && priority < 192 && end - s->p <= 4)
        level(s, severities[priority & 7]);
}

/* --- names ------------------------------------------------------------------------------------ */

/* "[Errno 111]", "[Errno -2]" of getaddrinfo, and "Error 111 connecting to" as redis-py says it. */
static void errno_number(struct scan *s, const char *word, size_t n)
{
    bool plain = n == 5 && !memcmp(word, "Error", 5);
    bool negative;
    const char *end;
    const char *name = NULL;
    unsigned long value;

    if (!plain && !(n == 5 && !memcmp(word + 1, "rrno", 4)))
        return;
    if (at(s, word + n) != ' ')
        return;
    negative = at(s, word + n + 1) == '-';
    value = number(s, word + n + 1 + negative, &end);
    if (plain && (s->end - end < 11 || memcmp(end, " connecting", 11)))
        return;
    if (value && value < 200)
        name = negative ? mh_eai_name(-(int)value) : mh_errno_name((int)value);
    if (name)
        keep(s, ERRNO, name, strlen(name));
}

static void names(struct scan *s, const char *word, size_t n)
{
    size_t len = 0;
    const char *name = mh_word_exception(word, n, &len);
    char after = at(s, word + n);

    /* The line behind the frames is "dotted.Class: text" or "dotted.Class", by any name. */
    if (!name && s->within == FRAMES && s->before == '\n' && (after == ':' || after == '\n') &&
        n <= 60) {
        const char *dot = memrchr(word, '.', n);

        name = dot ? dot + 1 : word;
        len = n - (size_t)(name - word);
        if (memchr(name, '-', len) || !len)
            name = NULL;
    }
    if (name)
        keep(s, EXCEPTION, name, len);
    if (word[0] == 'E' && (name = mh_word_errno(word, n)))
        keep(s, ERRNO, name, strlen(name));
    if (word[0] >= 'A' && word[0] <= 'Z' && s->before != '.' &&
        (name = mh_word_errno_text(word, (size_t)(s->end - word))))
        keep(s, ERRNO, name, strlen(name));
    errno_number(s, word, n);
    s->ret->ident |= mh_word_ident(word, n);
    if (s->before == '\n')
        s->within = NO_TRACEBACK;
    else if (s->within == HEADER && n == 4 && !memcmp(word, "File", 4))
        s->within = FRAMES;
    if (n == 9 && s->end - word >= 33 && !memcmp(word, "Traceback (most recent call last)", 33)) {
        s->ret->traceback = true;
        s->within = HEADER;
    }
}

/* --- peers ------------------------------------------------------------------------------------ */

/* host:port. Times, lines of files and credentials have the same shape: see what is around it. */
static void peer_colon(struct scan *s, const char *word, size_t n, enum mh_host host)
{
    const char *end;
    unsigned long port = number(s, word + n + 1, &end);
    char after = at(s, end);
    bool goes_on = is_word(at(s, end + 1));

    if (after == '@' || ((after == ':' || after == '.' || after == '-') && goes_on))
        return;
    if (strchr("/\\.:-%$#", s->before))
        return;
    if (mh_word_port(host, port))
        keep_peer(s, word, n, port);
}

/* ('127.0.0.1', 6379) of asyncio, host='dep', port=8080 of urllib3, "db", port 5432 of libpq. */
static void peer_pair(struct scan *s, const char *word, size_t n, enum mh_host host)
{
    const char *p = word + n + 1;
    const char *end;
    bool said = false;
    unsigned long port;

    if (at(s, p) != ',')
        return;
    for (p++; at(s, p) == ' ';)
        p++;
    if (s->end - p > 5 && !memcmp(p, "port", 4) && (p[4] == ' ' || p[4] == '=')) {
        said = true;
        p += 5;
    }
    port = number(s, p, &end);
    if ((said || host != MH_HOST_name || (n == 9 && !memcmp(word, "localhost", 9))) &&
        mh_word_port(host, port))
        keep_peer(s, word, n, port);
}

/* scheme://user:secret@host:port/: returns the end of the host part; nothing before it is a word.
 */
static const char *peer_url(struct scan *s, const char *scheme, size_t n)
{
    const char *from = scheme + n + 3;
    const char *to = from;
    const char *user, *colon, *end;
    unsigned long port = mh_word_scheme_port(scheme, n);
    size_t len;

    while (to < s->end && (unsigned char)*to > ' ' && !strchr("/?#\"'<>(),;`|\\", *to))
        to++;
    user = memrchr(from, '@', (size_t)(to - from));
    if (user)
        from = user + 1;
    colon = memchr(from, ':', (size_t)(to - from));
    len = (size_t)((colon ? colon : to) - from);
    if (colon)
        port = number(s, colon + 1, &end);
    /* A secret with a slash in it would make of user:12/34@host a host `user`. */
    if (at(s, to) == '/' && colon && !user) {
        const char *q = to;

        while (q < s->end && (unsigned char)*q > ' ' && *q != '@' && *q != '"' && *q != '\'')
            q++;
        if (at(s, q) == '@')
            return q;
    }
    if (port && port <= 65535 && mh_word_host(from, len) != MH_HOST_no)
        keep_peer(s, from, len, port);
    return to;
}

/* --- the walk --------------------------------------------------------------------------------- */

/* The end of the word at p: identifiers joined by single dots and dashes. */
static const char *word_end(const struct scan *s, const char *p)
{
    while (p < s->end && (is_word(*p) || ((*p == '.' || *p == '-') && is_word(at(s, p + 1)))))
        p++;
    return p;
}

static void word(struct scan *s)
{
    const char *w = s->p;
    const char *end = word_end(s, w);
    enum mh_host host;

    /* Escaped text, as in JSON: the n of "\nValueError" is no part of the name. */
    if (s->before == '\\' && end - w > 1 && strchr("nrt", *w)) {
        w++;
        s->before = '\n';
    }
    s->p = end;
    if (s->end - end >= 3 && !memcmp(end, "://", 3)) {
        s->p = peer_url(s, w, (size_t)(end - w));
        s->before = '/';
        return;
    }
    level_word(s, w, (size_t)(end - w));
    s->value = mh_word_level_key(w, (size_t)(end - w)) ? value_of(s, w, (size_t)(end - w)) : NULL;
    journal_priority(s, w, (size_t)(end - w));
    trace(s, w, (size_t)(end - w));
    names(s, w, (size_t)(end - w));
    if (at(s, end) == ':' && is_digit(at(s, end + 1))) {
        host = mh_word_host(w, (size_t)(end - w));
        if (host != MH_HOST_no)
            peer_colon(s, w, (size_t)(end - w), host);
    } else if ((s->before == '\'' || s->before == '"') && at(s, end) == s->before) {
        host = mh_word_host(w, (size_t)(end - w));
        if (host != MH_HOST_no)
            peer_pair(s, w, (size_t)(end - w), host);
    }
    s->before = end[-1];
}

static void walk(struct scan *s)
{
    while (s->p < s->end) {
        if (*s->p == '\033') {
            s->p = skip_colour(s, s->p);
        } else if (is_word(*s->p)) {
            word(s);
        } else {
            if (*s->p == '\n')
                s->levelled = false;
            s->before = *s->p++;
        }
    }
}

void mh_log_scan(const char *bytes, size_t n, uint64_t key, mh_log_peer_known *known,
                 struct mh_log_facts *ret)
{
    struct scan s = {.before = '\n', .ret = ret, .known = known};
    size_t head = MH_MIN(n, (size_t)MH_LOG_PART);
    struct mh_mask mask;

    *ret = (struct mh_log_facts){.level = MH_LEVEL_none};
    while (n && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r' || bytes[n - 1] == ' '))
        n--;
    head = MH_MIN(head, n);
    mh_mask_init(&mask, key);
    mh_mask_add(&mask, bytes, head);
    s.tokens = (struct mh_buf){.data = ret->tokens, .size = sizeof(ret->tokens)};
    s.p = bytes;
    s.end = bytes + head;
    syslog_priority(&s);
    walk(&s);
    /* A long traceback names its exception at its end. A word cut at the seam is passed over. */
    if (n > head) {
        s.p = bytes + MH_MAX(head, n - MH_MIN(n, (size_t)MH_LOG_PART));
        s.end = bytes + n;
        mh_mask_add(&mask, s.p, (size_t)(s.end - s.p));
        while (s.p < s.end && is_word(*s.p))
            s.p++;
        s.before = ' ';
        s.levelled = true;
        walk(&s);
    }
    ret->digest = mh_mask_digest(&mask);
}
