/* SPDX-License-Identifier: Apache-2.0 */
/* First lines; see line.h. They decide what is HTTP at all, so they are strict: one space between
 * the parts, a method in capitals, a version 1.x. */
#include "wire/line.h"

#include <string.h>

#include "base/hash.h"

#include "base/banned.h"

static const char version[] = "HTTP/1.";

enum { VERSION_LEN = sizeof(version) - 1, METHOD_MAX = 24 };

static void text_add(struct mh_http *h, unsigned char c)
{
    if (h->text_len >= MH_HTTP_TEXT)
        return;
    h->text[h->text_len++] = c >= 0x20 && c < 0x7f ? (char)c : '.';
    h->text[h->text_len] = '\0';
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

size_t mh_http_target_run(struct mh_http *h, const unsigned char *p, size_t n)
{
    bool path = h->request.state == MH_HTTP_PATH;
    size_t run = 0;

    if (!path && h->request.state != MH_HTTP_QUERY)
        return 0;
    while (run < n && p[run] > ' ' && p[run] != 0x7f && !(path && (p[run] == '?' || p[run] == '#')))
        run++;
    h->request_digest = mh_hash_bytes(h->request_digest, p, run);
    for (size_t i = 0; path && i < run; i++)
        text_add(h, p[i]);
    return run;
}

enum mh_http_line mh_http_request_line(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->request;

    if (s->state == MH_HTTP_START) {
        if (c == '\r' || c == '\n')
            return MH_HTTP_LINE_MORE;
        s->state = MH_HTTP_METHOD;
        h->text_len = 0;
        h->text[0] = '\0';
        h->idempotency_key = false;
        h->request_digest = MH_HASH_START;
    }
    if (s->state == MH_HTTP_VERSION)
        return version_byte(s, c);
    h->request_digest = mh_hash_bytes(h->request_digest, &c, 1);
    return s->state == MH_HTTP_METHOD ? method_byte(h, c) : target_byte(h, c);
}

enum mh_http_line mh_http_status_line(struct mh_http *h, unsigned char c)
{
    struct mh_http_stream *s = &h->response;
    bool digit = c >= '0' && c <= '9';
    unsigned at;

    if (s->state == MH_HTTP_START) {
        if (h->seen && (c == '\r' || c == '\n'))
            return MH_HTTP_LINE_MORE;
        s->state = MH_HTTP_STATUS;
        s->pos = 0;
        h->status = 0;
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
