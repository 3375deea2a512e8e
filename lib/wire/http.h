/* SPDX-License-Identifier: Apache-2.0 */
/* Observer of plaintext HTTP/1.x on one connection: it is shown the bytes that pass, in whatever
 * pieces, and says what it saw. Fixed state, no copies of bodies, no clock, no malloc, no calls
 * out: any context may use it. What is not HTTP is left alone from its first odd byte on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "wire/json.h"
#include "wire/mask.h"

enum {
    MH_HTTP_TEXT = 200,          /* bytes kept of "METHOD /path" */
    MH_HTTP_PIPELINE = 64,       /* unanswered requests that are followed */
    MH_HTTP_DIGESTED = 256 << 10 /* bytes of a body that go into its digests */
};

/* What a call saw. */
enum {
    MH_HTTP_REQUEST_BYTE = 1 << 0,   /* the first byte of what may become a request */
    MH_HTTP_REQUEST_BEGUN = 1 << 1,  /* its line: method and path are in h->text */
    MH_HTTP_REQUEST_HEAD = 1 << 2,   /* its headers: idempotency_key */
    MH_HTTP_REQUEST_DONE = 1 << 3,   /* its body: request_bytes */
    MH_HTTP_RESPONSE_BYTE = 1 << 4,  /* the first byte of a response, also of a 1xx one */
    MH_HTTP_RESPONSE_BEGUN = 1 << 5, /* its headers: status, retry_after_s; never of a 1xx one */
    MH_HTTP_RESPONSE_DONE = 1 << 6,  /* its body: bytes, digest, keys, nkeys */
    MH_HTTP_LEFT = 1 << 7,           /* was HTTP and is no more: upgraded, tunnel, or malformed */
};

struct mh_http_facts {
    size_t used;          /* bytes that this call took; the rest belongs to the next message */
    unsigned outstanding; /* requests begun and not answered, after this call */
    bool idempotency_key;
    uint64_t request_bytes; /* of the request's body */
    int status;
    int64_t retry_after_s; /* -1 none; a date is taken relative to the response's own Date */
    uint64_t bytes;        /* of the response's body */
    uint64_t digest;       /* keyed, of the body with numbers and ids masked (see mask.h) */
    uint64_t keys;         /* keyed digest of its top-level JSON keys; 0 when not a JSON object */
    unsigned nkeys;
};

/* One direction. */
struct mh_http_stream {
    uint64_t left;  /* of the body or chunk; while its number is read, the number */
    uint64_t bytes; /* of the body so far */
    uint8_t state, field, pos, name_len, value_len;
    bool chunked, has_length, trailer, cut; /* cut: the header's value is longer than `value` */
    char name[18], value[30];
};

struct mh_http {
    uint64_t key;
    uint64_t head, tunnel; /* bit per unanswered request, oldest lowest: HEAD; CONNECT */
    int64_t retry_at;      /* of the response, seconds since 1970; -1 none */
    int64_t retry_after;
    struct mh_mask mask;
    struct mh_json json;
    struct mh_http_stream request, response;
    uint16_t status;
    uint8_t outstanding;
    uint8_t text_len;
    bool digests;
    bool raw;  /* not HTTP, or not any more */
    bool seen; /* a whole request or status line was seen */
    bool idempotency_key;
    bool websocket; /* the answer under way says: Upgrade: websocket */
    uint8_t late;   /* how often the middle of a message may still be taken for none */
    uint8_t spoken; /* enum mh_spoken: what it is instead of HTTP/1.x, when that can be told */
    char date[29];  /* of the response, as it stands; "" none */
    char text[MH_HTTP_TEXT + 1]; /* "GET /path" of the request last begun; valid until the next */
};
_Static_assert(sizeof(struct mh_http) <= 520, "one of these per connection: keep it small");

/* key: of the run's digests. digests: are those of answers wanted (digest, keys, nkeys)? They cost
 * some nanoseconds a byte. */
void mh_http_init(struct mh_http *h, uint64_t key, bool digests);

/* The same for a connection that has been in use: what passes first may be the rest of something,
 * and until a request is seen to begin, that means nothing. */
void mh_http_init_late(struct mh_http *h, uint64_t key, bool digests);

/* Bytes that went the way of requests, and those that went the way of responses; each byte once:
 * what MSG_PEEK gave, or a send did not take, is not for us. Flags are returned; *ret is whole
 * whatever they are, but only what a flag stands for means something. A call stops behind the end
 * of a message, so that its flags and facts are of one message only:
 *
 *     do {
 *         flags = mh_http_server_read(h, p, n, &facts);
 *         ...
 *         p += facts.used, n -= facts.used;
 *     } while (n);
 */
unsigned mh_http_requests(struct mh_http *h, const void *bytes, size_t n,
                          struct mh_http_facts *ret);
unsigned mh_http_responses(struct mh_http *h, const void *bytes, size_t n,
                           struct mh_http_facts *ret);

/* The side that answers has closed, orderly: ends a response whose length was not given
 * (RESPONSE_DONE), and the observation. */
unsigned mh_http_ended(struct mh_http *h, struct mh_http_facts *ret);

/* The same by side: an accepted connection, and one that we made. */
static inline unsigned mh_http_server_read(struct mh_http *h, const void *bytes, size_t n,
                                           struct mh_http_facts *ret)
{
    return mh_http_requests(h, bytes, n, ret);
}
static inline unsigned mh_http_server_wrote(struct mh_http *h, const void *bytes, size_t n,
                                            struct mh_http_facts *ret)
{
    return mh_http_responses(h, bytes, n, ret);
}
static inline unsigned mh_http_client_wrote(struct mh_http *h, const void *bytes, size_t n,
                                            struct mh_http_facts *ret)
{
    return mh_http_requests(h, bytes, n, ret);
}
static inline unsigned mh_http_client_read(struct mh_http *h, const void *bytes, size_t n,
                                           struct mh_http_facts *ret)
{
    return mh_http_responses(h, bytes, n, ret);
}
