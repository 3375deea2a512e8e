/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP observer: what it says of whole exchanges, that the cut of the bytes does not matter,
 * and that foreign bytes only make it stand aside. */
#include "wire/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "wire/field.h"

enum { KEY = 42, LOG_SIZE = 16384 };

/* What was seen of one direction, a line an event. */
struct seen {
    char text[LOG_SIZE];
    size_t len;
    bool byte; /* the first byte of a message was told of; nothing is known of it yet */
};

__attribute__((format(printf, 2, 3))) static void say(struct seen *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    s->len += (size_t)vsnprintf(s->text + s->len, LOG_SIZE - s->len, format, args);
    va_end(args);
    assert_true(s->len < LOG_SIZE);
}

static void note(struct seen *s, const struct mh_http *h, unsigned flags,
                 const struct mh_http_facts *f)
{
    if (flags & MH_HTTP_REQUEST_BYTE)
        s->byte = true;
    if (flags & MH_HTTP_REQUEST_BEGUN) {
        say(s, "request %s\n", h->text);
        assert_true(s->byte);
        s->byte = false;
    }
    if (flags & MH_HTTP_REQUEST_HEAD)
        say(s, "head idempotency=%d\n", f->idempotency_key);
    if (flags & MH_HTTP_REQUEST_DONE)
        say(s, "sent %ju\n", (uintmax_t)f->request_bytes);
    if (flags & MH_HTTP_RESPONSE_BYTE)
        s->byte = true;
    if (flags & MH_HTTP_RESPONSE_BEGUN) {
        assert_true(s->byte);
        s->byte = false;
        say(s, "status %d retry %jd\n", f->status, (intmax_t)f->retry_after_s);
    }
    if (flags & MH_HTTP_RESPONSE_DONE)
        say(s, "done %d bytes %ju digest %jx keys %u %jx left %u\n", f->status, (uintmax_t)f->bytes,
            (uintmax_t)f->digest, f->nkeys, (uintmax_t)f->keys, f->outstanding);
    if (flags & MH_HTTP_LEFT)
        say(s, "left\n");
}

/* Shows n bytes in pieces of 1..piece bytes (0: all at once). Each piece is a block of its own, so
 * that reading past it is seen by the address sanitizer. */
static void show(struct mh_http *h, struct seen *s, bool requests, const char *bytes, size_t n,
                 unsigned piece)
{
    while (n) {
        size_t drawn = piece ? 1 + (size_t)rand() % piece : n;
        size_t here = MH_MIN(n, drawn);
        char *copy = malloc(here);
        size_t at = 0;

        assert_non_null(copy);
        memcpy(copy, bytes, here);
        while (at < here) {
            struct mh_http_facts f;
            unsigned flags = requests ? mh_http_requests(h, copy + at, here - at, &f)
                                      : mh_http_responses(h, copy + at, here - at, &f);

            assert_true(f.used > 0 && f.used <= here - at);
            note(s, h, flags, &f);
            at += f.used;
        }
        free(copy);
        bytes += here;
        n -= here;
    }
}

struct exchange {
    struct mh_http h;
    struct seen in, out;
};

/* All requests, then all answers: also a test of pipelining. */
static void run(struct exchange *x, const char *in, size_t in_len, const char *out, size_t out_len,
                unsigned piece)
{
    memset(x, 0, sizeof(*x));
    mh_http_init(&x->h, KEY, true);
    show(&x->h, &x->in, true, in, in_len, piece);
    show(&x->h, &x->out, false, out, out_len, piece);
}

#define IN                                                                                         \
    "GET /orders/7?token=sEcReT HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\n\r\n"                     \
    "POST /pay HTTP/1.1\r\nContent-Length: 11\r\nIdempotency-KEY:  abc \r\n\r\nhello world"        \
    "\r\nHEAD http://user:pw@shop:80/a/b?x HTTP/1.0\nConnection: close\n\n"                        \
    "PUT /chunks HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"                             \
    "5;ext=1\r\nhello\r\nC\r\n chunk world\r\n0\r\nContent-Length: 9\r\n\r\n"                      \
    "DELETE /x HTTP/1.1\r\n\r\n"
#define OUT                                                                                        \
    "HTTP/1.1 200 OK\r\ncontent-length: 32\r\n\r\n{\"id\": 17, \"items\": [{\"n\": 12}]}"          \
    "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"                                                        \
    "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"                           \
    "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"                                              \
    "HTTP/1.1 201 \r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n6\r\n: [1]}\r\n0\r\n\r\n"   \
    "HTTP/1.0 404\r\n\r\nno length: to the end"

static void test_exchange(void **state)
{
    struct exchange x;
    struct mh_http_facts f;

    run(&x, IN, sizeof(IN) - 1, OUT, sizeof(OUT) - 1, 0);
    assert_non_null(strstr(x.in.text, "request GET /orders/7\nhead idempotency=0\nsent 0\n"));
    assert_non_null(strstr(x.in.text, "request POST /pay\nhead idempotency=1\nsent 11\n"));
    assert_non_null(strstr(x.in.text, "request HEAD /a/b\nhead idempotency=0\nsent 0\n"));
    assert_non_null(strstr(x.in.text, "request PUT /chunks\nhead idempotency=0\nsent 17\n"));
    assert_non_null(strstr(x.in.text, "request DELETE /x\n"));
    assert_null(strstr(x.in.text, "sEcReT"));
    assert_null(strstr(x.in.text, "left"));
    assert_non_null(strstr(x.out.text, "status 200 retry -1\ndone 200 bytes 32 "));
    assert_non_null(strstr(x.out.text, "keys 2 "));
    assert_non_null(strstr(x.out.text, "status 503 retry 120\ndone 503 bytes 0 "));
    assert_non_null(strstr(x.out.text, "status 200 retry -1\ndone 200 bytes 0 ")); /* HEAD */
    assert_non_null(strstr(x.out.text, "done 201 bytes 10 "));
    assert_non_null(strstr(x.out.text, "keys 1 "));
    assert_non_null(strstr(x.out.text, "status 404 retry -1\n"));
    assert_null(strstr(x.out.text, "done 404"));
    assert_int_equal(x.h.outstanding, 1);
    assert_int_equal(mh_http_ended(&x.h, &f), MH_HTTP_RESPONSE_DONE);
    assert_int_equal(f.bytes, 21);
    assert_int_equal(f.outstanding, 0);
}

static void test_any_cut(void **state)
{
    struct exchange whole, cut;

    run(&whole, IN, sizeof(IN) - 1, OUT, sizeof(OUT) - 1, 0);
    for (unsigned i = 0; i < 300; i++) {
        run(&cut, IN, sizeof(IN) - 1, OUT, sizeof(OUT) - 1, i ? 1 + i % 60 : 1);
        assert_string_equal(whole.in.text, cut.in.text);
        assert_string_equal(whole.out.text, cut.out.text);
    }
}

/* The facts of one answer to one GET. */
static struct mh_http_facts answer(const char *text)
{
    struct mh_http h;
    struct mh_http_facts f, ret = {0};
    size_t n = strlen(text);

    mh_http_init(&h, KEY, true);
    mh_http_client_wrote(&h, "GET / HTTP/1.1\r\n\r\n", 18, &f);
    if (mh_http_client_read(&h, text, n, &f) & MH_HTTP_RESPONSE_DONE)
        return f;
    if (mh_http_ended(&h, &f) & MH_HTTP_RESPONSE_DONE)
        return f;
    return ret;
}

static struct mh_http_facts body(const char *text)
{
    char all[2048];

    snprintf(all, sizeof(all), "HTTP/1.1 200 OK\r\n\r\n%s", text);
    return answer(all);
}

static void test_masked(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"order 7", "order 1234", true},
        {"order 7", "orders 7", false},
        {"at 2024-01-02T03:04:05.678Z", "at 2025-11-12T13:14:15.6Z", true},
        {"id 550e8400-e29b-41d4-a716-446655440000", "id 123e4567-e89b-12d3-a456-426614174000",
         true},
        {"id aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "id 123e4567-e89b-12d3-a456-426614174000",
         true},
        {"sha 9f86d081884c7d659a2feaa0c55ad015", "sha 11111111111111111111111111111111", true},
        {"sha 9f86d081 ok", "sha 00112233445 ok", true},
        {"feedface", "deadbeef", false},
        {"price -5", "price -123456789", true},
        {"price -5", "price 5", false},
        {"{\"a\": 1, \"b\": 22.5}", "{\"a\": 333, \"b\": 1.75}", true},
        {"{\"a\": 1}", "{\"a\": null}", false},
        {"", "0", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool same = body(rows[i].a).digest == body(rows[i].b).digest;

        if (same != rows[i].same)
            fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
    }
}

static void test_json_keys(void **state)
{
    uint64_t ab = body("{\"a\": 1, \"b\": {\"c\": [\"x,\\\"\", {}]}}").keys;

    assert_true(ab != 0);
    assert_true(body(" {\"b\": \"}\", \"a\": {\"d\": 1}}\n").keys == ab);
    assert_true(body("{\"a\": 1}").keys != ab);
    assert_true(body("{\"a\": 1, \"c\": 1}").keys != ab);
    assert_int_equal(body("{\"a\": 1, \"b\": 2, \"\\\"\": 3}").nkeys, 3);
    assert_true(body("{}").keys != 0);
    assert_int_equal(body("{}").nkeys, 0);
    assert_true(body("[{\"a\": 1}]").keys == 0);
    assert_true(body("{\"a\": 1").keys == 0);
    assert_true(body("{\"a\": 1} x").keys == 0);
    assert_true(body("<html>").keys == 0);
}

static void test_retry_after(void **state)
{
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n"
    assert_int_equal(answer(BUSY "Retry-After: 7\r\n\r\n").retry_after_s, 7);
    assert_int_equal(answer(BUSY "\r\n").retry_after_s, -1);
    assert_int_equal(answer(BUSY "Retry-After: soon\r\n\r\n").retry_after_s, -1);
    assert_int_equal(answer(BUSY "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
                                 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
                         .retry_after_s,
                     60);
    assert_int_equal(
        answer(BUSY "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n\r\n").retry_after_s, -1);
    assert_int_equal(mh_field_date("Sun, 06 Nov 1994 08:49:37 GMT", 29), 784111777);
    assert_int_equal(mh_field_date("Thu, 29 Feb 2024 23:59:60 GMT", 29), 1709251200);
}

static void test_leaves(void **state)
{
    static const char *const foreign[] = {
        "*1\r\n$4\r\nPING\r\n",
        "PING\r\n",
        "get key\r\n",
        "\x16\x03\x01\x02",
        "GET key\r\n",
        "SSH-2.0-x\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n",
        "GET  / HTTP/1.1\r\n",
        " GET / HTTP/1.1\r\n",
        "AVERYLONGMETHODTHATNOBODYHAS /",
        "GET / HTTP/1.1x\n",
        "GET / HTTP/1.\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
        struct exchange x;

        run(&x, foreign[i], strlen(foreign[i]), "HTTP/1.1 200 OK\r\n\r\n", 19, 1);
        assert_true(x.h.raw);
        assert_null(strstr(x.in.text, "request"));
        assert_string_equal(x.out.text, "");
    }
    struct {
        const char *in, *out;
    } broken[] = {
        {"GET / HTTP/1.1\r\n\r\n", "+OK\r\n"},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 20x\r\n"},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ""},
        {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nab", ""},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", ""},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", ""},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct exchange x;

        run(&x, broken[i].in, strlen(broken[i].in), broken[i].out, strlen(broken[i].out), 1);
        assert_true(x.h.raw);
        assert_non_null(strstr(*broken[i].out ? x.out.text : x.in.text, "left"));
    }
}

static void test_upgrade(void **state)
{
    struct exchange x;
    static const char up[] = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello";

    run(&x, up, sizeof(up) - 1, yes, sizeof(yes) - 1, 0);
    assert_non_null(strstr(x.out.text, "done 101 bytes 0 "));
    assert_non_null(strstr(x.out.text, "left\n"));
    assert_true(x.h.raw);
    static const char connect[] = "CONNECT up:443 HTTP/1.1\r\n\r\n";
    static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n\x16\x03";

    run(&x, connect, sizeof(connect) - 1, ok, sizeof(ok) - 1, 3);
    assert_string_equal(x.h.text, "CONNECT up:443");
    assert_non_null(strstr(x.out.text, "done 200 bytes 0 "));
    assert_true(x.h.raw);
}

static void test_digests_are_for_servers(void **state)
{
    static const char in[] = "GET /a HTTP/1.1\r\n\r\n";
    static const char out[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
    struct mh_http_facts f;

    for (int digests = 0; digests < 2; digests++) {
        struct mh_http h;

        mh_http_init(&h, KEY, digests);
        mh_http_requests(&h, in, sizeof(in) - 1, &f);
        assert_true(mh_http_responses(&h, out, sizeof(out) - 1, &f) & MH_HTTP_RESPONSE_DONE);
        assert_int_equal(f.bytes, 8);
        assert_int_equal(f.nkeys, digests);
        assert_int_equal(f.keys != 0, digests);
        assert_int_equal(f.digest != 0, digests);
    }
}

static void test_long_line(void **state)
{
    struct mh_http h;
    struct mh_http_facts f;
    char line[5000];

    memset(line, 'a', sizeof(line));
    memcpy(line, "GET /\n", 5);
    memcpy(line + sizeof(line) - 13, " HTTP/1.1\r\n\r\n", 13);
    mh_http_init(&h, KEY, true);
    assert_true(mh_http_server_read(&h, line, sizeof(line), &f) & MH_HTTP_REQUEST_DONE);
    assert_int_equal(strlen(h.text), MH_HTTP_TEXT);
    for (unsigned i = 1; i < MH_HTTP_PIPELINE; i++)
        mh_http_server_read(&h, "GET / HTTP/1.1\r\n\r\n", 18, &f);
    assert_int_equal(f.outstanding, MH_HTTP_PIPELINE);
    assert_false(h.raw);
    assert_true(mh_http_server_read(&h, "GET / HTTP/1.1\r\n\r\n", 18, &f) & MH_HTTP_LEFT);
}

/* Noise with grains of HTTP in it: no crash, no endless loop, and no dependence on the cut. */
/* Joined while a request, or the answer to one, is under way. */
static void test_late(void **state)
{
    static const char rest[] = "and a body\r\n",
                      answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                      ask[] = "GET /b HTTP/1.1\r\n\r\n";
    struct seen *s = calloc(1, sizeof(*s));
    struct mh_http h;

    (void)state;
    assert_non_null(s);
    mh_http_init_late(&h, KEY, true);
    show(&h, s, true, rest, strlen(rest), 0);
    show(&h, s, false, answer, strlen(answer), 0);
    show(&h, s, false, rest, strlen(rest), 0);
    assert_string_equal(s->text, "");
    show(&h, s, true, ask, strlen(ask), 3);
    show(&h, s, false, answer, strlen(answer), 3);
    assert_non_null(strstr(s->text, "request GET /b\n"));
    assert_non_null(strstr(s->text, "status 200 "));
    assert_non_null(strstr(s->text, "left 0\n"));
    show(&h, s, true, rest, strlen(rest), 0);
    assert_non_null(strstr(s->text, "left\n")); /* as of any other connection */

    mh_http_init_late(&h, KEY, true);
    for (unsigned i = 0; i < 100; i++)
        show(&h, s, true, rest, strlen(rest), 0);
    assert_true(h.raw);
    free(s);
}

static void test_noise(void **state)
{
    static const char *const grains[] = {
        "GET / HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "Content-Length: 5\r\n",
        "\r\n",
        "\r\n\r\n",
        "Transfer-Encoding: chunked\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "{\"a\":",
        "1}",
        ":",
        "\n",
        "Retry-After:",
        "\t",
        "HEAD /x HTTP/1.0\n\n",
        "HTTP/1.1 304 \n\n",
        "HTTP/1.1 100 \n\n",
    };

    for (unsigned round = 0; round < 3000; round++) {
        struct exchange whole, cut;
        char in[512], out[512];
        size_t len[2] = {0, 0};

        for (int side = 0; side < 2; side++) {
            char *to = side ? out : in;

            while (len[side] < 300) {
                const char *g = grains[(size_t)rand() % ARRAY_SIZE(grains)];

                if (rand() % 12 == 0)
                    to[len[side]++] = (char)rand();
                memcpy(to + len[side], g, strlen(g));
                len[side] += strlen(g);
                if (rand() % 20 == 0)
                    break;
            }
        }
        run(&whole, in, len[0], out, len[1], 0);
        run(&cut, in, len[0], out, len[1], 1 + round % 9);
        assert_string_equal(whole.in.text, cut.in.text);
        assert_string_equal(whole.out.text, cut.out.text);
        assert_int_equal(whole.h.outstanding, cut.h.outstanding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),    cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_masked),      cmocka_unit_test(test_json_keys),
        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_upgrade),     cmocka_unit_test(test_digests_are_for_servers),
        cmocka_unit_test(test_long_line),   cmocka_unit_test(test_noise),
        cmocka_unit_test(test_late),
    };

    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
