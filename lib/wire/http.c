/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.x observer; see http.h. Each direction is one automaton: first line, header fields,
 * body. Lines that nobody asks about are passed over by memchr, bodies in one go. Where RFC 9112
 * leaves room it takes the message as the two programs will have taken it; what they cannot have
 * understood alike (two lengths, a bad chunk) ends the observation. */
#include "wire/http.h"

#include <string.h>

#include "base/macros.h"
#include "wire/field.h"
#include "wire/line.h"

#include "base/banned.h"

struct cursor {
    const unsigned char *p, *end;
    unsigned flags;
    struct mh_http_facts *facts;
    bool stop; /* a message has ended */
};

void mh_http_init(struct mh_http *h, uint64_t key, bool digests)
{
    memset(h, 0, sizeof(*h));
    h->key = key;
    h->digests = digests;
    h->retry_at = h->retry_after = -1;
}

void mh_http_init_late(struct mh_http *h, uint64_t key, bool digests)
{
    enum { PIECES = 64 }; /* of a long body, or of what is no HTTP */

    mh_http_init(h, key, digests);
    h->late = PIECES;
}

static int64_t retry_after_s(const struct mh_http *h)
{
    int64_t date = -1;

    if (h->retry_after < 0 && h->retry_at >= 0 && h->date[0])
        date = mh_field_date(h->date, sizeof(h->date));
    return date < 0 ? h->retry_after : MH_MAX(h->retry_at - date, 0);
}

/* What these flags stand for. */
static void fill(const struct mh_http *h, unsigned flags, struct mh_http_facts *ret)
{
    if (flags & (MH_HTTP_REQUEST_HEAD | MH_HTTP_REQUEST_DONE))
        ret->idempotency_key = h->idempotency_key;
    if (flags & MH_HTTP_REQUEST_DONE)
        ret->request_bytes = h->request.bytes;
    if (flags & (MH_HTTP_RESPONSE_BEGUN | MH_HTTP_RESPONSE_DONE | MH_HTTP_LEFT)) {
        ret->status = h->status;
        ret->retry_after_s = retry_after_s(h);
    }
    if (!(flags & (MH_HTTP_RESPONSE_DONE | MH_HTTP_LEFT)))
        return;
    ret->bytes = h->response.bytes;
    if (h->digests) {
        ret->digest = mh_mask_digest(&h->mask);
        mh_json_keys(&h->json, &ret->keys, &ret->nkeys);
    }
}

static void stream_reset(struct mh_http_stream *s)
{
    *s = (struct mh_http_stream){.state = MH_HTTP_START};
}

static void leave(struct mh_http *h, struct cursor *c)
{
    h->raw = h->seen || !h->late || !--h->late;
    if (!h->raw)
        stream_reset(&h->request);
    c->flags = h->seen ? c->flags | MH_HTTP_LEFT : 0;
    c->stop = true;
    c->p = c->end;
}

static void end_message(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    if (s == &h->request) {
        c->flags |= MH_HTTP_REQUEST_DONE;
    } else {
        c->flags |= MH_HTTP_RESPONSE_DONE;
        if (h->outstanding)
            h->outstanding--;
        h->head >>= 1;
        h->tunnel >>= 1;
    }
    fill(h, c->flags, c->facts);
    stream_reset(s);
    c->stop = true;
}

/* --- first lines ------------------------------------------------------------------------------ */

static void request_line(struct mh_http *h, struct cursor *c)
{
    bool fresh = h->request.state == MH_HTTP_START;
    enum mh_http_line got = mh_http_request_line(h, &c->p, c->end);

    if (fresh && h->request.state != MH_HTTP_START)
        c->flags |= MH_HTTP_REQUEST_BYTE;
    if (got == MH_HTTP_LINE_BAD ||
        (got == MH_HTTP_LINE_WHOLE && h->outstanding == MH_HTTP_PIPELINE)) {
        leave(h, c);
    } else if (got == MH_HTTP_LINE_WHOLE) {
        if (!strncmp(h->text, "HEAD ", 5))
            h->head |= UINT64_C(1) << h->outstanding;
        if (!strncmp(h->text, "CONNECT ", 8))
            h->tunnel |= UINT64_C(1) << h->outstanding;
        h->outstanding++;
        h->seen = true;
        h->request.state = MH_HTTP_NAME;
        c->flags |= MH_HTTP_REQUEST_BEGUN;
    }
}

static void status_line(struct mh_http *h, struct cursor *c)
{
    bool fresh = h->response.state == MH_HTTP_START;
    enum mh_http_line got = mh_http_status_line(h, &c->p, c->end);

    if (fresh && h->response.state != MH_HTTP_START) {
        c->flags |= MH_HTTP_RESPONSE_BYTE;
        h->retry_at = h->retry_after = -1;
        h->date[0] = '\0';
        h->websocket = false;
        if (h->digests) {
            mh_mask_init(&h->mask, h->key);
            mh_json_init(&h->json, h->key);
        }
    }
    if (got == MH_HTTP_LINE_BAD) {
        leave(h, c);
    } else if (got == MH_HTTP_LINE_WHOLE) {
        h->seen = true;
        h->response.state = MH_HTTP_PASS;
    }
}

/* --- header fields ---------------------------------------------------------------------------- */

static void request_head(struct mh_http *h, struct cursor *c)
{
    struct mh_http_stream *s = &h->request;

    c->flags |= MH_HTTP_REQUEST_HEAD;
    if (s->chunked) {
        s->state = MH_HTTP_SIZE;
        s->left = s->pos = 0;
    } else if (s->left) {
        s->state = MH_HTTP_BODY;
    } else {
        end_message(h, s, c);
    }
}

static void response_head(struct mh_http *h, struct cursor *c)
{
    struct mh_http_stream *s = &h->response;
    bool upgraded = h->status == 101;
    bool tunnel = (h->tunnel & 1) && h->status >= 200 && h->status < 300;

    if (h->status < 200 && !upgraded) {
        stream_reset(s);
        return;
    }
    c->flags |= MH_HTTP_RESPONSE_BEGUN;
    if (upgraded && h->websocket)
        h->spoken = MH_SPOKEN_websocket;
    if (upgraded || tunnel) {
        end_message(h, s, c);
        h->raw = true;
        c->flags |= MH_HTTP_LEFT;
    } else if ((h->head & 1) || h->status == 204 || h->status == 304) {
        end_message(h, s, c);
    } else if (s->chunked) {
        s->state = MH_HTTP_SIZE;
        s->left = s->pos = 0;
    } else if (!s->has_length) {
        s->state = MH_HTTP_TO_CLOSE;
    } else if (s->left) {
        s->state = MH_HTTP_BODY;
    } else {
        end_message(h, s, c);
    }
}

static void end_head(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    if (s->trailer)
        end_message(h, s, c);
    else if (s == &h->request)
        request_head(h, c);
    else
        response_head(h, c);
}

static void end_field(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    size_t n = s->value_len;
    int64_t number = -1;

    while (n && (s->value[n - 1] == ' ' || s->value[n - 1] == '\t' || s->value[n - 1] == '\r'))
        n--;
    if (!s->cut && (s->field == MH_FIELD_length || s->field == MH_FIELD_retry_after))
        number = mh_field_number(s->value, n);
    if (s->field == MH_FIELD_length) {
        if (number < 0 || (s->has_length && (uint64_t)number != s->left)) {
            leave(h, c);
            return;
        }
        s->has_length = true;
        s->left = (uint64_t)number;
    } else if (s->field == MH_FIELD_encoding) {
        if (s->cut || (!mh_field_chunked(s->value, n) && s == &h->request)) {
            leave(h, c);
            return;
        }
        s->chunked = mh_field_chunked(s->value, n);
    } else if (s->field == MH_FIELD_idempotency_key && s == &h->request) {
        h->idempotency_key = n > 0;
    } else if (s->field == MH_FIELD_retry_after && s == &h->response) {
        h->retry_after = number;
        h->retry_at = s->cut ? -1 : mh_field_date(s->value, n);
    } else if (s->field == MH_FIELD_upgrade && s == &h->response) {
        h->websocket = mh_field_websocket(s->value, n);
    } else if (s->field == MH_FIELD_date && s == &h->response) {
        h->date[0] = '\0';
        if (!s->cut && n == sizeof(h->date))
            memcpy(h->date, s->value, sizeof(h->date));
    }
}

static void end_name(struct mh_http_stream *s)
{
    s->field = s->trailer ? MH_FIELD_other : mh_field_named(s->name, s->name_len);
    s->state = s->field == MH_FIELD_other ? MH_HTTP_PASS : MH_HTTP_VALUE;
    s->name_len = s->value_len = 0;
    s->cut = false;
}

/* Up to the end of the name, of an empty line, or of what is at hand; a name that nobody asks about
 * is known by its first letter, most often. */
static void name_bytes(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    const unsigned char *p = c->p;
    size_t n = s->name_len;
    unsigned char ch = 0;

    for (; p < c->end; p++) {
        ch = *p;
        if (ch == '\r')
            continue;
        if (ch == '\n' || ch == ':')
            break;
        if (ch >= 'A' && ch <= 'Z')
            ch |= 0x20;
        if (n == sizeof(s->name) || (!n && !mh_field_may_start((char)ch)))
            break;
        s->name[n++] = (char)ch;
    }
    s->name_len = (uint8_t)n;
    c->p = p < c->end ? p + 1 : p;
    if (p == c->end)
        return;
    if (ch == ':') {
        end_name(s);
    } else if (ch == '\n') {
        s->name_len = 0;
        if (!n)
            end_head(h, s, c);
    } else {
        s->name_len = 0;
        s->state = MH_HTTP_PASS;
    }
}

static void value_bytes(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    const unsigned char *line_end = memchr(c->p, '\n', (size_t)(c->end - c->p));
    const unsigned char *end = line_end ? line_end : c->end, *p = c->p;
    size_t n;

    while (p < end && !s->value_len && (*p == ' ' || *p == '\t'))
        p++;
    n = MH_MIN((size_t)(end - p), sizeof(s->value) - s->value_len);
    memcpy(s->value + s->value_len, p, n);
    s->value_len += (uint8_t)n;
    for (p += n; p < end && !s->cut; p++)
        s->cut = *p != '\r';
    c->p = line_end ? line_end + 1 : c->end;
    if (line_end) {
        s->state = MH_HTTP_NAME;
        end_field(h, s, c);
    }
}

static void pass_line(struct mh_http_stream *s, struct cursor *c)
{
    const unsigned char *end = memchr(c->p, '\n', (size_t)(c->end - c->p));

    c->p = end ? end + 1 : c->end;
    if (end)
        s->state = s->state == MH_HTTP_EXTENSION ? MH_HTTP_CHUNK : MH_HTTP_NAME;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void take_body(struct mh_http *h, struct mh_http_stream *s, struct cursor *c, size_t n)
{
    size_t open = s->bytes < MH_HTTP_DIGESTED ? MH_HTTP_DIGESTED - (size_t)s->bytes : 0;

    if (h->digests && s == &h->response) {
        mh_mask_add(&h->mask, c->p, MH_MIN(n, open));
        mh_json_add(&h->json, c->p, n);
    }
    s->bytes += n;
    c->p += n;
}

static void take_counted(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    size_t here = (size_t)(c->end - c->p);
    size_t n = s->left < here ? (size_t)s->left : here;

    take_body(h, s, c, n);
    s->left -= n;
    if (s->left)
        return;
    if (s->state == MH_HTTP_CHUNK)
        s->state = MH_HTTP_CHUNK_END;
    else
        end_message(h, s, c);
}

static void size_byte(struct mh_http *h, struct mh_http_stream *s, unsigned char ch,
                      struct cursor *c)
{
    unsigned digit = ch >= '0' && ch <= '9'                     ? ch - '0'
                     : (ch | 0x20) >= 'a' && (ch | 0x20) <= 'f' ? (ch | 0x20) - 'a' + 10
                                                                : 16;

    if (digit < 16 && s->pos < 15) {
        s->left = s->left << 4 | digit;
        s->pos++;
    } else if (s->pos && (ch == ';' || ch == '\r' || ch == '\n' || ch == ' ' || ch == '\t')) {
        s->state = ch == '\n' ? MH_HTTP_CHUNK : MH_HTTP_EXTENSION;
    } else {
        leave(h, c);
    }
}

/* The line end behind a chunk, or the one behind its size when it is the last chunk. */
static void chunk_byte(struct mh_http *h, struct mh_http_stream *s, unsigned char ch,
                       struct cursor *c)
{
    if (ch == '\n') {
        s->state = MH_HTTP_SIZE;
        s->left = s->pos = 0;
    } else if (ch != '\r') {
        leave(h, c);
    }
}

/* --- the automaton ---------------------------------------------------------------------------- */

/* One step of what both directions have alike. */
static void step(struct mh_http *h, struct mh_http_stream *s, struct cursor *c)
{
    switch (s->state) {
    case MH_HTTP_NAME:
        name_bytes(h, s, c);
        break;
    case MH_HTTP_VALUE:
        value_bytes(h, s, c);
        break;
    case MH_HTTP_PASS:
    case MH_HTTP_EXTENSION:
        pass_line(s, c);
        break;
    case MH_HTTP_SIZE:
        size_byte(h, s, *c->p++, c);
        break;
    case MH_HTTP_CHUNK_END:
        chunk_byte(h, s, *c->p++, c);
        break;
    case MH_HTTP_BODY:
    case MH_HTTP_CHUNK:
        take_counted(h, s, c);
        break;
    default:
        take_body(h, s, c, (size_t)(c->end - c->p));
        break;
    }
    /* The last chunk has no bytes and no line end of its own: trailers follow. */
    if (s->state == MH_HTTP_CHUNK && !s->left) {
        s->trailer = true;
        s->name_len = 0;
        s->state = MH_HTTP_NAME;
    }
}

/* What the first bytes of a connection's opener say of it: a TLS handshake, or the preface of
 * HTTP/2 with prior knowledge (RFC 9113, 3.4). */
static enum mh_spoken opener(const unsigned char *p, size_t n)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n";

    if (n >= 3 && p[0] == 0x16 && p[1] == 3 && p[2] <= 4)
        return MH_SPOKEN_tls;
    if (n >= sizeof(preface) - 1 && !memcmp(p, preface, sizeof(preface) - 1))
        return MH_SPOKEN_http2;
    return MH_SPOKEN_none;
}

static unsigned watch(struct mh_http *h, struct mh_http_stream *s, const void *bytes, size_t n,
                      struct mh_http_facts *ret)
{
    struct cursor c = {.p = bytes, .end = (const unsigned char *)bytes + n, .facts = ret};

    *ret = (struct mh_http_facts){.used = n, .retry_after_s = -1};
    if (h->raw || (s == &h->response && h->late && !h->seen)) /* an answer to what was not seen */
        return 0;
    if (s == &h->request && !h->seen && s->state == MH_HTTP_START)
        h->spoken = opener(bytes, n);
    while (c.p < c.end && !c.stop) {
        if (s->state > MH_HTTP_STATUS)
            step(h, s, &c);
        else if (s == &h->request)
            request_line(h, &c);
        else
            status_line(h, &c);
    }
    if (c.flags && !(c.flags & (MH_HTTP_REQUEST_DONE | MH_HTTP_RESPONSE_DONE)))
        fill(h, c.flags, ret);
    ret->outstanding = h->outstanding;
    /* what comes behind an upgrade is for who reads that */
    ret->used = h->raw && h->spoken != MH_SPOKEN_websocket
                    ? n
                    : (size_t)(c.p - (const unsigned char *)bytes);
    return c.flags;
}

unsigned mh_http_requests(struct mh_http *h, const void *bytes, size_t n, struct mh_http_facts *ret)
{
    return watch(h, &h->request, bytes, n, ret);
}

unsigned mh_http_responses(struct mh_http *h, const void *bytes, size_t n,
                           struct mh_http_facts *ret)
{
    return watch(h, &h->response, bytes, n, ret);
}

unsigned mh_http_ended(struct mh_http *h, struct mh_http_facts *ret)
{
    struct cursor c = {.facts = ret};

    *ret = (struct mh_http_facts){.retry_after_s = -1};
    if (h->raw)
        return 0;
    if (h->response.state == MH_HTTP_TO_CLOSE)
        end_message(h, &h->response, &c);
    h->raw = true;
    ret->outstanding = h->outstanding;
    return c.flags;
}
