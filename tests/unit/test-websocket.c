/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket frames: only the one that closes counts, and its code, in whatever pieces it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "wire/websocket.h"

static void check(const char *bytes, size_t n, bool closed, unsigned code)
{
    for (size_t piece = 1; piece <= n; piece++) {
        struct mh_websocket w = {0};
        unsigned times = 0;

        for (size_t i = 0; i < n; i += piece)
            times += mh_websocket_seen(&w, bytes + i, MH_MIN(piece, n - i));
        assert_int_equal(times, closed);
        assert_int_equal(w.closed, closed);
        assert_int_equal(w.code, code);
    }
}
#define CHECK(bytes, closed, code) check(bytes, sizeof(bytes) - 1, closed, code)

static void test_close(void **state)
{
    CHECK("\x88\x02\x03\xe8", true, 1000);
    CHECK("\x88\x06\x03\xf3oops", true, 1011);
    CHECK("\x88\x82\x01\x02\x03\x04\x02\xe9", true, 0x03eb);
    CHECK("\x88\x00", true, 0);
    CHECK("\x88\x80\x01\x02\x03\x04", true, 0);
    CHECK("\x88\x01\x03", true, 0);
}

static void test_others(void **state)
{
    CHECK("\x81\x02hi", false, 0);
    CHECK("\x81\x05\x88\x02\x03\xe8!", false, 0); /* a text that looks like it */
    CHECK("\x89\x00\x8a\x04ping\x01\x03hel\x80\x02lo", false, 0);
    CHECK("\x82\x85\x09\x09\x09\x09\x88\x02\x03\xe8!\x88\x02\x03\xf3", true, 1011);
}

static void test_long(void **state)
{
    static char frame[70000];

    memcpy(frame, "\x82\x7e\x01\x00", 4);
    memcpy(frame + 4 + 256, "\x88\x02\x03\xf4", 4);
    check(frame, 4 + 256 + 4, true, 1012);
    memset(frame, 0x88, sizeof(frame)); /* a payload full of what would close it */
    memcpy(frame, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
    memcpy(frame + 10 + 65536, "\x88\x02\x03\xf5", 4);
    for (size_t piece = 1; piece < 100000; piece *= 7) {
        struct mh_websocket w = {0};
        unsigned times = 0;

        for (size_t i = 0; i < 10 + 65536 + 4; i += piece)
            times += mh_websocket_seen(&w, frame + i, MH_MIN(piece, 10 + 65536 + 4 - i));
        assert_int_equal(times, 1);
        assert_int_equal(w.code, 1013);
    }
    /* longer than anything: it goes on for ever */
    check("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff\x88\x02\x03\xe8", 14, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
