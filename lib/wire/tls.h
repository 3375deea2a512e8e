/* SPDX-License-Identifier: Apache-2.0 */
/* Observer of TLS on one connection: of its records it reads the headers, and of the two hellos the
 * version, the cipher and what application protocol is agreed. So it tells when application data
 * passes, and nothing of what they say. Fixed state, no copies, no clock, no malloc, no calls out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call saw. */
enum {
    MH_TLS_DATA = 1 << 0,  /* application data, of a size that a message can begin with */
    MH_TLS_SCRAP = 1 << 1, /* a few bytes: the end of a message, or a change of keys */
    MH_TLS_MORE = 1 << 2,  /* the last record is as long as one can be: its message goes on */
    /* The last record is application data, or a session ticket (TLS 1.3); the next one tells. */
    MH_TLS_UNSURE = 1 << 3,
    MH_TLS_ALERT = 1 << 4, /* most often that the sender has no more to say */
};

/* May requests on it be HTTP/2, of which many are under way at the same time? */
enum mh_tls_http2 { MH_TLS_HTTP2_no, MH_TLS_HTTP2_perhaps, MH_TLS_HTTP2_yes };

/* One direction. */
struct mh_tls_half {
    uint32_t number, skip; /* of a hello: the number that is read, bytes to pass over */
    uint32_t message;      /* bytes of it that are still to come */
    uint16_t left;         /* of the record under way */
    uint16_t extension;    /* type of the one under way */
    uint16_t inner;        /* bytes of it that are still to come */
    uint8_t head[5], have, digits;
    uint8_t step, type;
    bool ciphered; /* it has changed to encrypted records (TLS 1.2) */
    bool done;     /* its part of the handshake is over */
};

struct mh_tls {
    struct mh_tls_half asks, answers;
    uint16_t finished; /* length of a record with nothing but Finished, TLS 1.3 */
    uint16_t ticket;   /* length of the record that was a ticket, or may have been */
    uint8_t version;   /* 12 (and older), 13; 0 not known yet */
    uint8_t tag;       /* bytes that the cipher adds to a record, TLS 1.3 */
    enum mh_tls_http2 http2;
    bool on;      /* this connection speaks TLS */
    bool lost;    /* what passes is no TLS, or not any more */
    bool asked;   /* application data went from the client to the server */
    bool replied; /* and back */
    bool unsure;
};

/* Does a ClientHello begin here? True also when its record is cut. */
bool mh_tls_opens(const void *bytes, size_t n);

/* Bytes that the client sent, and the server; each byte once, from the ClientHello on, with both
 * directions in the order in which this process saw them. Returns what was seen, 0 nothing. */
unsigned mh_tls_asks(struct mh_tls *t, const void *bytes, size_t n);
unsigned mh_tls_answers(struct mh_tls *t, const void *bytes, size_t n);

/* Is the handshake over, as far as this process has seen? */
static inline bool mh_tls_ready(const struct mh_tls *t)
{
    return t->asks.done && t->answers.done;
}
