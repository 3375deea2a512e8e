/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS observer; see tls.h. In TLS 1.3 handshake, alerts and tickets travel as application data
 * do, so they are told apart by what must come when, and by their length, which no padding hides
 * with the libraries that Python uses. */
#include "wire/tls.h"

#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

enum { CHANGE = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { LONGEST = 16384, LONGEST_12 = LONGEST + 2048, HEAD = 5 };
enum { ALERT_BYTES = 2, SCRAP_BYTES = 17 /* "GET / HTTP/1.0" and two line ends are 18 */ };

/* --- the hellos ------------------------------------------------------------------------------- */

enum { EXT_ALPN = 16, EXT_VERSIONS = 43 };

/* What is read next. */
enum step {
    TYPE,
    LENGTH,
    SESSION, /* behind version and random, which are passed over */
    CIPHERS, /* of a client, their length */
    CIPHER,  /* of a server, which */
    COMPRESSIONS,
    EXTENSIONS,
    EXTENSION,
    EXTENSION_LENGTH,
    VERSION,
    PROTOCOLS,
    PROTOCOL_LENGTH,
    PROTOCOL, /* one of two bytes */
    PASSED,
};
static const uint8_t digits_of[] = {1, 3, 1, 2, 2, 1, 2, 2, 2, 2, 2, 1, 2};

static void ciphered_by(struct mh_tls *t, unsigned cipher)
{
    bool sha384 = cipher == 0x1302, short_tag = cipher == 0x1305;

    t->tag = short_tag ? 8 : 16;
    t->finished = (uint16_t)(4 + (sha384 ? 48 : 32) + 1 + t->tag);
}

/* Passes over n bytes of the extension, or goes to the next one when it is read. */
static void extension_next(struct mh_tls_half *h, unsigned n, enum step then)
{
    h->skip = MH_MIN(n, h->inner);
    h->inner = (uint16_t)(h->inner - h->skip);
    h->step = (uint8_t)(h->inner ? then : EXTENSION);
}

static void extension_begin(struct mh_tls *t, struct mh_tls_half *h, unsigned n)
{
    h->inner = (uint16_t)n;
    if (h->extension == EXT_ALPN && n > 3)
        h->step = PROTOCOLS;
    else if (h->extension == EXT_VERSIONS && h == &t->answers && n == 2)
        h->step = VERSION;
    else
        extension_next(h, n, EXTENSION);
}

static void protocol_length(struct mh_tls *t, struct mh_tls_half *h, unsigned n)
{
    h->inner -= MH_MIN(h->inner, 1);
    if (h == &t->answers)
        t->http2 = MH_TLS_HTTP2_no; /* agreed upon, and in plain sight: TLS 1.2 */
    if (n == 2 && h->inner >= 2)
        h->step = PROTOCOL;
    else
        extension_next(h, n, PROTOCOL_LENGTH);
}

static void protocol(struct mh_tls *t, struct mh_tls_half *h, unsigned name)
{
    if (name == ('h' << 8 | '2'))
        t->http2 = h == &t->answers ? MH_TLS_HTTP2_yes : MH_TLS_HTTP2_perhaps;
    h->inner -= MH_MIN(h->inner, 2);
    extension_next(h, 0, PROTOCOL_LENGTH);
}

/* A number of a hello is whole. */
static void hello_number(struct mh_tls *t, struct mh_tls_half *h, unsigned n)
{
    static const uint8_t after[] = {[CIPHERS] = COMPRESSIONS,
                                    [COMPRESSIONS] = EXTENSIONS,
                                    [EXTENSIONS] = EXTENSION,
                                    [EXTENSION] = EXTENSION_LENGTH};
    bool server = h == &t->answers;

    switch (h->step) {
    case TYPE:
        h->step = n == (server ? SERVER_HELLO : CLIENT_HELLO) ? LENGTH : PASSED;
        break;
    case LENGTH:
        h->message = n;
        h->skip = 2 + 32;
        h->step = n ? SESSION : PASSED;
        break;
    case SESSION:
        h->skip = n;
        h->step = server ? CIPHER : CIPHERS;
        break;
    case CIPHER:
        ciphered_by(t, n);
        h->skip = 1;
        h->step = EXTENSIONS;
        break;
    case EXTENSION_LENGTH:
        extension_begin(t, h, n);
        break;
    case VERSION:
        t->version = n == 0x0304 ? 13 : 12;
        h->inner = 0;
        h->step = EXTENSION;
        break;
    case PROTOCOLS:
        h->inner -= MH_MIN(h->inner, 2);
        h->step = PROTOCOL_LENGTH;
        break;
    case PROTOCOL_LENGTH:
        protocol_length(t, h, n);
        break;
    case PROTOCOL:
        protocol(t, h, n);
        break;
    default:
        h->skip = h->step == CIPHERS || h->step == COMPRESSIONS ? n : 0;
        h->extension = (uint16_t)n; /* what EXTENSION has read, that is */
        h->step = after[h->step];
        break;
    }
}

static void hello_end(struct mh_tls *t, struct mh_tls_half *h)
{
    h->step = PASSED;
    if (h == &t->answers && !t->version)
        t->version = 12; /* it says nothing of a newer one */
    if (t->version == 12 && t->http2 == MH_TLS_HTTP2_perhaps)
        t->http2 = MH_TLS_HTTP2_no;
}

/* The bytes of a handshake record; one hello a side is read, also when a second one follows. */
static void hello_bytes(struct mh_tls *t, struct mh_tls_half *h, const uint8_t *p, size_t n)
{
    while (n && h->step != PASSED) {
        bool counted = h->step > LENGTH;
        size_t k = h->skip ? MH_MIN(n, MH_MIN(h->skip, h->message)) : 1;

        if (h->skip) {
            h->skip -= (uint32_t)k;
        } else {
            h->number = h->number << 8 | *p;
            if (++h->digits == digits_of[h->step]) {
                unsigned whole = h->number;

                h->number = h->digits = 0;
                hello_number(t, h, whole);
            }
        }
        p += k;
        n -= k;
        if (!counted)
            continue;
        h->message -= (uint32_t)k;
        if (!h->message)
            hello_end(t, h);
    }
}

/* --- records ---------------------------------------------------------------------------------- */

/* The server's EncryptedExtensions are as long as what they grant. With no protocol in it the
 * length of all that OpenSSL sends there is even; a protocol adds its name and seven bytes. */
static void granted(struct mh_tls *t, unsigned length)
{
    unsigned none = 4 + 2 + 1U + t->tag, more = length - none;
    static const unsigned name_ack = 4; /* the server's name was understood */

    if (t->http2 != MH_TLS_HTTP2_perhaps || length < none)
        return;
    if (more == 0 || more == name_ack || more == 7 + 8 || more == name_ack + 7 + 8)
        t->http2 = MH_TLS_HTTP2_no; /* none, or http/1.1 */
    else if (more == 7 + 2 || more == name_ack + 7 + 2)
        t->http2 = MH_TLS_HTTP2_yes;
}

/* OpenSSL's ticket: a fixed frame, and a session that is encrypted in blocks of 16 bytes, or the 32
 * bytes of its id. */
static bool like_a_ticket(unsigned inner)
{
    enum { FRAME = 4 + 4 + 4 + 1 + 8 + 2 + 2, EARLY_DATA = 8, ID = 32, LARGE = 2048 };

    if (inner < FRAME + ID || inner > LARGE)
        return false;
    return (inner - FRAME) % 16 == 0 || (inner - FRAME - EARLY_DATA) % 16 == 0;
}

/* What the server sends when both have finished. Its first words may be tickets: for sure when
 * nobody has asked yet, and when a second one is as long as the first. */
static unsigned answer(struct mh_tls *t, unsigned length, unsigned inner)
{
    bool again = length == t->ticket;

    if (t->replied)
        return MH_TLS_DATA;
    if (!t->asked || again) {
        t->ticket = (uint16_t)length;
        t->unsure = false;
        return 0;
    }
    if (!t->ticket && like_a_ticket(inner)) {
        t->ticket = (uint16_t)length;
        t->unsure = true;
        return MH_TLS_UNSURE;
    }
    t->replied = true;
    t->unsure = false;
    return MH_TLS_DATA;
}

/* An encrypted record of TLS 1.3 of which nothing but the length can be told. */
static unsigned sealed(struct mh_tls *t, struct mh_tls_half *h, unsigned length)
{
    unsigned inner = length > t->tag + 1U ? length - t->tag - 1 : 0;

    if (!t->asks.done) {
        if (h == &t->answers && !h->done) {
            granted(t, length);
            h->done = true;
        }
        if (h == &t->asks && h->head[0] == DATA)
            h->done = length == t->finished;
        return 0;
    }
    if (inner == ALERT_BYTES)
        return MH_TLS_ALERT;
    if (inner <= SCRAP_BYTES)
        return MH_TLS_SCRAP;
    if (h == &t->answers)
        return answer(t, length, inner) | (inner >= LONGEST ? MH_TLS_MORE : 0);
    t->asked = true;
    return MH_TLS_DATA | (inner >= LONGEST ? MH_TLS_MORE : 0);
}

/* The same of TLS 1.2 and older, where only application data are called so. */
static unsigned plain(struct mh_tls *t, struct mh_tls_half *h, unsigned length)
{
    if (h->head[0] == ALERT)
        return MH_TLS_ALERT;
    if (h->head[0] == HANDSHAKE && h->ciphered)
        h->done = true;
    if (h->head[0] == CHANGE)
        h->ciphered = true;
    if (h->head[0] != DATA)
        return 0;
    if (h == &t->asks)
        t->asked = true;
    else
        t->replied = true;
    return MH_TLS_DATA | (length >= LONGEST ? MH_TLS_MORE : 0);
}

/* The header of a record is whole. */
static unsigned record(struct mh_tls *t, struct mh_tls_half *h)
{
    unsigned length = (unsigned)h->head[3] << 8 | h->head[4];

    if (h->head[0] < CHANGE || h->head[0] > HEARTBEAT || h->head[1] != 3 || length > LONGEST_12) {
        t->lost = true;
        return 0;
    }
    h->left = (uint16_t)length;
    h->type = h->head[0];
    if (t->version == 13 && h->type == DATA)
        return sealed(t, h, length);
    return t->version == 12 || h->type == ALERT ? plain(t, h, length) : 0;
}

static unsigned watch(struct mh_tls *t, struct mh_tls_half *h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    unsigned flags = 0;

    while (n && !t->lost) {
        size_t k = MH_MIN(n, h->left);

        if (h->left) {
            if (h->type == HANDSHAKE)
                hello_bytes(t, h, p, k);
            h->left = (uint16_t)(h->left - k);
        } else {
            k = 1;
            h->head[h->have++] = *p;
            if (h->have == HEAD) {
                h->have = 0;
                flags = (flags & ~(unsigned)(MH_TLS_MORE | MH_TLS_UNSURE)) | record(t, h);
            }
        }
        p += k;
        n -= k;
    }
    return flags;
}

unsigned mh_tls_asks(struct mh_tls *t, const void *bytes, size_t n)
{
    return watch(t, &t->asks, bytes, n);
}

unsigned mh_tls_answers(struct mh_tls *t, const void *bytes, size_t n)
{
    return watch(t, &t->answers, bytes, n);
}

bool mh_tls_opens(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    if (n < HEAD + 4 || p[0] != HANDSHAKE || p[1] != 3 || p[2] > 4 || p[HEAD] != CLIENT_HELLO)
        return false;
    /* the hello is not longer than its record, but for one that is cut in two */
    return p[HEAD + 1] == 0 && (p[3] << 8 | p[4]) <= LONGEST;
}
