/* SPDX-License-Identifier: Apache-2.0 */
/* First lines; see line.h. They decide what is HTTP at all, so they are strict: one space between
 * the parts, a method in capitals, a version 1.x. */
#include "wire/line.h"

#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

static const char version[] = "HTTP/1.";

enum { VERSION_LEN = sizeof(version) - 1, METHOD_MAX = 24 };

/* What nearly every line has is taken at once when it is there in one piece. */
#define begins(at, end, word)                                                                      \
    ((size_t)((end) - (at)) >= sizeof(word) - 1 && !memcmp(at, word, sizeof(word) - 1))

static void text_add_n(struct mh_http *h, const unsigned char *p, size_t n)
{
    char *to = h->text + h->text_len;

    n = MH_MIN(n, (size_t)(MH_HTTP_TEXT - h->text_len));
    for (size_t i = 0; i < n; i++)
        to[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
    to[n] = '\0';
    h->text_len += (uint8_t)n;
}

static void text_add(struct mh_http *h, unsigned char c)
{
    text_add_n(h, &c, 1);
}

static enum mh_http_line method_byte(struct mh_http *h, unsigned char c)
{
    if (c == ' ' && h->text_len) {
        text_add(h, c);
        h->request.state = MH_HTTP_TARGET;
    } else if (((c >= 'A' && c <= 'Z') || c == '-' || c == '_') && h->text_len < METHOD_MAX) {
        text_add(h, c);
    } else {
        return MH_HTTP_LINE_BAD;
    }
    return MH_HTTP_LINE_MORE;
}

static void authority_byte(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->request;

    /* The third slash of "http://host/" is the first of the path. */
    if (c == '/' && ++s->pos < 3)
        return;
    if (c == '/' || c == '?' || c == '#') {
        text_add(h, '/');
        s->state = c == '/' ? MH_HTTP_PATH : MH_HTTP_QUERY;
    }
}

static enum mh_http_line target_byte(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->request;

    if (c < 0x20 || c == 0x7f || (c == ' ' && s->state == MH_HTTP_TARGET))
        return MH_HTTP_LINE_BAD;
    if (c == ' ') {
        if (s->state == MH_HTTP_AUTHORITY)
            text_add(h, '/');
        s->state = MH_HTTP_VERSION;
        s->pos = 0;
        return MH_HTTP_LINE_MORE;
    }
    if (s->state == MH_HTTP_TARGET) {
        bool path = c == '/' || c == '*' || !strncmp(h->text, "CONNECT ", 8);

        s->state = path ? MH_HTTP_PATH : MH_HTTP_AUTHORITY;
        s->pos = 0;
    }
    if (s->state == MH_HTTP_AUTHORITY)
        authority_byte(h, c);
    else if (s->state == MH_HTTP_PATH && (c == '?' || c == '#'))
        s->state = MH_HTTP_QUERY;
    else if (s->state == MH_HTTP_PATH)
        text_add(h, c);
    return MH_HTTP_LINE_MORE;
}

static enum mh_http_line version_byte(struct mh_http_stream *s, unsigned char c)
{
    if (s->pos < VERSION_LEN)
        return c == (unsigned char)version[s->pos++] ? MH_HTTP_LINE_MORE : MH_HTTP_LINE_BAD;
    if (s->pos == VERSION_LEN) {
        s->pos++;
        return c >= '0' && c <= '9' ? MH_HTTP_LINE_MORE : MH_HTTP_LINE_BAD;
    }
    if (c == '\n')
        return MH_HTTP_LINE_WHOLE;
    return c == '\r' ? MH_HTTP_LINE_MORE : MH_HTTP_LINE_BAD;
}

/* The bytes of a path or query that can be taken in one go; 0 when the next one cannot. */
static size_t target_run(struct mh_http *h, const unsigned char *p, size_t n)
{
    bool path = h->request.state == MH_HTTP_PATH;
    size_t run = 0;

    if (!path && h->request.state != MH_HTTP_QUERY)
        return 0;
    while (run < n && p[run] > ' ' && p[run] != 0x7f && !(path && (p[run] == '?' || p[run] == '#')))
        run++;
    if (path)
        text_add_n(h, p, run);
    return run;
}

static enum mh_http_line request_byte(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->request;

    if (s->state == MH_HTTP_START) {
        if (c == '\r' || c == '\n')
            return MH_HTTP_LINE_MORE;
        s->state = MH_HTTP_METHOD;
        h->text_len = 0;
        h->text[0] = '\0';
        h->idempotency_key = false;
    }
    if (s->state == MH_HTTP_VERSION)
        return version_byte(s, c);
    return s->state == MH_HTTP_METHOD ? method_byte(h, c) : target_byte(h, c);
}

enum mh_http_line mh_http_request_line(struct mh_http *h, const unsigned char **p,
                                       const unsigned char *end)
{
    static const char rest[] = "HTTP/1.1\r\n";
    enum mh_http_line got = MH_HTTP_LINE_MORE;
    const unsigned char *at = *p;

    while (at < end && got == MH_HTTP_LINE_MORE) {
        at += target_run(h, at, (size_t)(end - at));
        if (h->request.state == MH_HTTP_VERSION && !h->request.pos && begins(at, end, rest)) {
            *p = at + sizeof(rest) - 1;
            return MH_HTTP_LINE_WHOLE;
        }
        if (at < end)
            got = request_byte(h, *at++);
    }
    *p = at;
    return got;
}

static void status_begin(struct mh_http *h, uint8_t pos)
{
    h->response.state = MH_HTTP_STATUS;
    h->response.pos = pos;
    h->status = 0;
}

static enum mh_http_line status_byte(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->response;
    bool digit = c >= '0' && c <= '9';
    unsigned at;

    if (s->state == MH_HTTP_START) {
        if (h->seen && (c == '\r' || c == '\n'))
            return MH_HTTP_LINE_MORE;
        status_begin(h, 0);
    }
    at = s->pos++;
    if (at < VERSION_LEN)
        return c == (unsigned char)version[at] ? MH_HTTP_LINE_MORE : MH_HTTP_LINE_BAD;
    if (at == VERSION_LEN + 1)
        return c == ' ' ? MH_HTTP_LINE_MORE : MH_HTTP_LINE_BAD;
    if (!digit)
        return MH_HTTP_LINE_BAD;
    if (at > VERSION_LEN)
        h->status = h->status * 10 + (c - '0');
    if (at < VERSION_LEN + 4)
        return MH_HTTP_LINE_MORE;
    return h->status >= 100 ? MH_HTTP_LINE_WHOLE : MH_HTTP_LINE_BAD;
}

enum mh_http_line mh_http_status_line(struct mh_http *h, const unsigned char **p,
                                      const unsigned char *end)
{
    static const char first[] = "HTTP/1.1 ";
    enum mh_http_line got = MH_HTTP_LINE_MORE;
    const unsigned char *at = *p;

    if (h->response.state == MH_HTTP_START && begins(at, end, first)) {
        status_begin(h, sizeof(first) - 1);
        at += sizeof(first) - 1;
    }
    while (at < end && got == MH_HTTP_LINE_MORE)
        got = status_byte(h, *at++);
    *p = at;
    return got;
}
