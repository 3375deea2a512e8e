/* SPDX-License-Identifier: Apache-2.0 */
/* TLS by its record headers: when the handshake is over, what is a message, what a ticket, an alert
 * or a change of keys. Records are made here as OpenSSL, Go and others make them; the real thing is
 * in tests/e2e/test_units_tls.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "wire/tls.h"

enum { HELLO_ROOM = 512, CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };
enum { FINISHED_256 = 4 + 32 + 17, FINISHED_384 = 4 + 48 + 17, TICKET = 25 + 32 + 16 * 9 + 17 };

struct bytes {
    uint8_t at[HELLO_ROOM];
    size_t n;
};

static void number(struct bytes *b, unsigned value, unsigned digits)
{
    while (digits--)
        b->at[b->n++] = (uint8_t)(value >> 8 * digits);
}

static void extension(struct bytes *b, unsigned type, const void *body, size_t n)
{
    number(b, type, 2);
    number(b, (unsigned)n, 2);
    memcpy(b->at + b->n, body, n);
    b->n += n;
}

/* A record with a hello: of a client that offers `protocols`, or of a server that chose a cipher.
 */
static struct bytes hello(bool server, unsigned cipher, bool newest, const char *protocols)
{
    struct bytes b = {.n = 9}, e = {.n = 0};

    number(&b, 0x0303, 2);
    b.n += 32;
    number(&b, 32, 1); /* session id, as in middlebox compatibility mode */
    b.n += 32;
    if (!server)
        number(&b, 2, 2);
    number(&b, cipher, 2);
    number(&b, server ? 0 : 0x0100, server ? 1 : 2);
    if (!server)
        extension(&e, 0, "\0\x0c\0\0\x09localhost", 14);
    if (protocols) {
        struct bytes list = {.n = 0};

        number(&list, (unsigned)strlen(protocols), 2);
        memcpy(list.at + list.n, protocols, strlen(protocols));
        extension(&e, 16, list.at, list.n + strlen(protocols));
    }
    if (newest)
        extension(&e, 43, server ? "\x03\x04" : "\x02\x03\x04", server ? 2 : 3);
    extension(&e, 65281, "\0", 1);
    number(&b, (unsigned)e.n, 2);
    memcpy(b.at + b.n, e.at, e.n);
    b.n += e.n;
    memcpy(b.at, "\x16\x03\x01", 3);
    b.at[3] = (uint8_t)((b.n - 5) >> 8);
    b.at[4] = (uint8_t)(b.n - 5);
    b.at[5] = server ? 2 : 1;
    b.at[7] = (uint8_t)((b.n - 9) >> 8);
    b.at[8] = (uint8_t)(b.n - 9);
    return b;
}

static unsigned pass(struct mh_tls *t, bool server, const void *bytes, size_t n)
{
    return server ? mh_tls_answers(t, bytes, n) : mh_tls_asks(t, bytes, n);
}

/* A record of n bytes behind its header. */
static unsigned record(struct mh_tls *t, bool server, int type, size_t n)
{
    static uint8_t buf[5 + 20000];

    buf[0] = (uint8_t)type;
    buf[1] = buf[2] = 3;
    buf[3] = (uint8_t)(n >> 8);
    buf[4] = (uint8_t)n;
    return pass(t, server, buf, 5 + n);
}

static void say_hello(struct mh_tls *t, bool server, unsigned cipher, bool newest,
                      const char *protocols, size_t piece)
{
    struct bytes b = hello(server, cipher, newest, protocols);

    for (size_t i = 0; i < b.n; i += piece)
        assert_int_equal(pass(t, server, b.at + i, MH_MIN(piece, b.n - i)), 0);
}

/* The handshake of TLS 1.3 up to the client's Finished. */
static struct mh_tls shaken(unsigned cipher, const char *offers, unsigned granted, size_t piece)
{
    struct mh_tls t = {0};
    size_t finished = cipher == 0x1302 ? FINISHED_384 : FINISHED_256;

    say_hello(&t, false, 0x1301, true, offers, piece);
    say_hello(&t, true, cipher, true, NULL, piece);
    assert_int_equal(t.version, 13);
    assert_int_equal(record(&t, true, CCS, 1), 0);
    assert_int_equal(record(&t, true, DATA, granted), 0);
    assert_int_equal(record(&t, true, DATA, 900), 0);
    assert_int_equal(record(&t, true, DATA, 281), 0);
    assert_int_equal(record(&t, true, DATA, finished), 0);
    assert_int_equal(record(&t, false, CCS, 1), 0);
    assert_false(mh_tls_ready(&t));
    assert_int_equal(record(&t, false, DATA, finished), 0);
    assert_true(mh_tls_ready(&t));
    return t;
}

static void test_newest(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 5000};
    static const unsigned ciphers[] = {0x1301, 0x1302, 0x1303};

    for (size_t i = 0; i < ARRAY_SIZE(pieces) * ARRAY_SIZE(ciphers); i++) {
        struct mh_tls t = shaken(ciphers[i % 3], NULL, 23, pieces[i / 3]);

        assert_int_equal(record(&t, false, DATA, 80), MH_TLS_DATA);
        assert_int_equal(record(&t, true, DATA, TICKET), MH_TLS_UNSURE);
        assert_int_equal(record(&t, true, DATA, TICKET), 0);
        assert_false(t.unsure);
        assert_int_equal(record(&t, true, DATA, 120), MH_TLS_DATA);
        assert_int_equal(record(&t, true, DATA, 5 + 17), MH_TLS_SCRAP);
        assert_int_equal(record(&t, false, DATA, 2 + 17), MH_TLS_ALERT);
        assert_int_equal(t.http2, MH_TLS_HTTP2_no);
    }
}

static void test_tickets(void **state)
{
    struct mh_tls t = shaken(0x1301, NULL, 23, 99), again;

    /* before anybody has asked; then an answer that is as long is none of them any more */
    assert_int_equal(record(&t, true, DATA, 333), 0);
    assert_int_equal(record(&t, true, DATA, 333), 0);
    assert_int_equal(record(&t, false, DATA, 80), MH_TLS_DATA);
    assert_int_equal(record(&t, true, DATA, TICKET), MH_TLS_DATA);
    assert_int_equal(record(&t, true, DATA, 333), MH_TLS_DATA);

    /* what looks like one and is the answer: the next record tells */
    t = again = shaken(0x1302, NULL, 23, 99);
    assert_int_equal(record(&t, false, DATA, 80), MH_TLS_DATA);
    assert_int_equal(record(&t, true, DATA, TICKET), MH_TLS_UNSURE);
    assert_true(t.unsure);
    assert_int_equal(record(&t, true, DATA, TICKET + 16), MH_TLS_DATA);
    assert_false(t.unsure);

    /* a server that sends none, and one that keeps sessions itself: tickets of an id */
    assert_int_equal(record(&again, false, DATA, 80), MH_TLS_DATA);
    t = again;
    assert_int_equal(record(&again, true, DATA, TICKET + 1), MH_TLS_DATA);
    assert_int_equal(record(&t, true, DATA, 25 + 32 + 17), MH_TLS_UNSURE);
}

static void test_long_and_short(void **state)
{
    struct mh_tls t = shaken(0x1301, NULL, 23, 99);

    assert_int_equal(record(&t, false, DATA, 16384 + 17), MH_TLS_DATA | MH_TLS_MORE);
    assert_int_equal(record(&t, false, DATA, 300), MH_TLS_DATA);
    /* a change of keys, and the same number of bytes of a body */
    assert_int_equal(record(&t, false, DATA, 5 + 17), MH_TLS_SCRAP);
    assert_int_equal(record(&t, true, DATA, 16384 + 17), MH_TLS_DATA | MH_TLS_MORE);
    assert_int_equal(record(&t, true, ALERT, 2), MH_TLS_ALERT);
    /* none of TLS: nothing is said from here on */
    assert_int_equal(pass(&t, true, "HTTP/1.1 200 OK", 15), 0);
    assert_true(t.lost);
    assert_int_equal(record(&t, false, DATA, 300), 0);
}

static void test_client_certificate(void **state)
{
    struct mh_tls t = {0};

    say_hello(&t, false, 0x1301, true, NULL, 99);
    say_hello(&t, true, 0x1301, true, NULL, 99);
    assert_int_equal(record(&t, true, DATA, 23), 0);
    assert_int_equal(record(&t, false, DATA, 900), 0);
    assert_int_equal(record(&t, false, DATA, 281), 0);
    assert_false(mh_tls_ready(&t));
    assert_int_equal(record(&t, false, DATA, FINISHED_256), 0);
    assert_int_equal(record(&t, false, DATA, 90), MH_TLS_DATA);
}

/* TLS 1.2: tickets, renegotiation and alerts are called what they are. */
static void test_older(void **state)
{
    struct mh_tls t = {0};

    say_hello(&t, false, 0xc02f, false, "\x02h2\x08http/1.1", 3);
    assert_int_equal(t.http2, MH_TLS_HTTP2_perhaps);
    say_hello(&t, true, 0xc02f, false, "\x08http/1.1", 3);
    assert_int_equal(t.version, 12);
    assert_int_equal(t.http2, MH_TLS_HTTP2_no);
    assert_int_equal(record(&t, false, CCS, 1) | record(&t, false, HANDSHAKE, 40), 0);
    assert_int_equal(record(&t, true, HANDSHAKE, 202), 0);
    assert_false(mh_tls_ready(&t));
    assert_int_equal(record(&t, true, CCS, 1) | record(&t, true, HANDSHAKE, 40), 0);
    assert_true(mh_tls_ready(&t));
    assert_int_equal(record(&t, false, DATA, 100), MH_TLS_DATA);
    assert_int_equal(record(&t, false, HANDSHAKE, 300), 0);
    assert_int_equal(record(&t, true, HANDSHAKE, 3000), 0);
    assert_int_equal(record(&t, true, DATA, TICKET), MH_TLS_DATA);
    assert_int_equal(record(&t, false, ALERT, 26), MH_TLS_ALERT);
}

static void test_http2(void **state)
{
    static const char both[] = "\x02h2\x08http/1.1";
    static const struct {
        unsigned granted;
        enum mh_tls_http2 then;
    } rows[] = {{23, MH_TLS_HTTP2_no},       {27, MH_TLS_HTTP2_no},      {23 + 15, MH_TLS_HTTP2_no},
                {23 + 9, MH_TLS_HTTP2_yes},  {27 + 9, MH_TLS_HTTP2_yes}, {27 + 15, MH_TLS_HTTP2_no},
                {300, MH_TLS_HTTP2_perhaps}, {7, MH_TLS_HTTP2_perhaps}};
    struct mh_tls t;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        t = shaken(0x1301, both, rows[i].granted, 99);
        assert_int_equal(t.http2, rows[i].then);
    }
    t = shaken(0x1301, "\x08http/1.1", 300, 99);
    assert_int_equal(t.http2, MH_TLS_HTTP2_no);
    t = (struct mh_tls){0};
    say_hello(&t, false, 0xc02f, false, both, 99);
    say_hello(&t, true, 0xc02f, false, "\x02h2", 99);
    assert_int_equal(t.http2, MH_TLS_HTTP2_yes);
}

static void test_opens(void **state)
{
    struct bytes b = hello(false, 0x1301, true, NULL);

    assert_true(mh_tls_opens(b.at, b.n));
    assert_true(mh_tls_opens(b.at, 20));
    assert_false(mh_tls_opens(b.at, 8));
    b = hello(true, 0x1301, true, NULL);
    assert_false(mh_tls_opens(b.at, b.n));
    assert_false(mh_tls_opens("\x16\x03\x01 and other words", 19));
    assert_false(mh_tls_opens("GET / HTTP/1.1\r\n", 16));
}

/* Both directions in the middle of a connection: nothing is known, nothing is said. */
static void test_late(void **state)
{
    struct mh_tls t = {0};

    assert_int_equal(record(&t, false, DATA, 300), 0);
    assert_int_equal(record(&t, true, DATA, 300), 0);
    assert_int_equal(t.version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest),         cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_long_and_short), cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_older),          cmocka_unit_test(test_http2),
        cmocka_unit_test(test_opens),          cmocka_unit_test(test_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
