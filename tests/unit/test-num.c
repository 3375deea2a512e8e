/* SPDX-License-Identifier: Apache-2.0 */
/* base/num.c: numbers with units, read strictly and said in English. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/num.h"

#include "base/banned.h"

static void times(void **state)
{
    static const struct {
        const char *text;
        int r;
        int64_t ns;
    } rows[] = {
        {"0s", 0, 0},
        {"1ns", 0, 1},
        {"7us", 0, 7000},
        {"200ms", 0, 200000000},
        {"200 ms", 0, 200000000},
        {"1.5s", 0, 1500000000},
        {"0.000000001s", 0, 1},
        {"0.0000000019s", 0, 1},
        {"1.234567891m", 0, 74074073460},
        {"0.999999999h", 0, 3599999996400},
        {"2h", 0, 7200000000000},
        {"15min", 0, 900000000000},
        {"2562047h", 0, 9223369200000000000},
        {"2562048h", -ERANGE, 0},
        {"99999999999999999999s", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"+1s", -EINVAL, 0},
        {" 1s", -EINVAL, 0},
        {".5s", -EINVAL, 0},
        {"1.s", -EINVAL, 0},
        {"1.2.3s", -EINVAL, 0},
        {"1 2s", -EINVAL, 0},
        {"1", -ENODATA, 0},
        {"1 ", -ENODATA, 0},
        {"1sec", -ENOENT, 0},
        {"1S", -ENOENT, 0},
        {"1s ", -ENOENT, 0},
        {"1e3s", -ENOENT, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t ns = -7;

        if (mh_num_time(rows[i].text, &ns) != rows[i].r || ns != (rows[i].r ? -7 : rows[i].ns))
            fail_msg("'%s' gave %ld", rows[i].text, (long)ns);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int r;
        uint64_t bytes;
    } rows[] = {
        {"100 bytes", 0, 100},
        {"1 byte", 0, 1},
        {"4KiB", 0, 4096},
        {"1.5MiB", 0, 1572864},
        {"2GiB", 0, UINT64_C(2) << 30},
        {"4kB", 0, 4000},
        {"17179869183GiB", 0, UINT64_C(17179869183) << 30},
        {"17179869184GiB", -ERANGE, 0},
        {"100", -ENODATA, 0},
        {"4kib", -ENOENT, 0},
        {"4K", -ENOENT, 0},
        {"x", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t bytes = 7;

        if (mh_num_size(rows[i].text, &bytes) != rows[i].r ||
            bytes != (rows[i].r ? 7 : rows[i].bytes))
            fail_msg("'%s' gave %lu", rows[i].text, (unsigned long)bytes);
    }
}

static void shares_and_numbers(void **state)
{
    uint32_t share = 0;
    uint64_t n = 0;

    assert_int_equal(mh_num_percent("100%", &share), 0);
    assert_int_equal(share, UINT32_MAX);
    assert_int_equal(mh_num_percent("50%", &share), 0);
    assert_in_range(share, UINT32_MAX / 2 - 1, UINT32_MAX / 2 + 1);
    assert_int_equal(mh_num_percent("0.0001%", &share), 0);
    assert_in_range(share, 4294, 4296);
    assert_int_equal(mh_num_percent("100.000001%", &share), -ERANGE);
    assert_int_equal(mh_num_percent("50", &share), -ENODATA);
    assert_int_equal(mh_num_percent("50 percent", &share), -ENOENT);
    assert_int_equal(mh_num_uint("18446744073709551615", &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(mh_num_uint("18446744073709551616", &n), -ERANGE);
    assert_int_equal(mh_num_uint("1.0", &n), -EINVAL);
    assert_int_equal(mh_num_uint("0x1", &n), -EINVAL);
    assert_int_equal(mh_num_uint("", &n), -EINVAL);
    assert_true(n == UINT64_MAX);
}

static void said(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } times_said[] = {{0, "0 s"},
                      {1, "1 ns"},
                      {1500, "1.5 us"},
                      {200000000, "200 ms"},
                      {1500000000, "1.5 s"},
                      {90000000000, "90 s"},
                      {120000000000, "2 min"},
                      {7200000000000, "2 h"},
                      {1234567891, "1.234 s"}};
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes_said[] = {{0, "0 bytes"},         {1, "1 byte"},
                      {1000, "1000 bytes"},   {4096, "4 KiB"},
                      {1536, "1.5 KiB"},      {1537, "1537 bytes"},
                      {256 << 20, "256 MiB"}, {UINT64_C(3) << 29, "1.5 GiB"}};

    for (size_t i = 0; i < ARRAY_SIZE(times_said); i++) {
        MH_BUF(b, 32);

        mh_num_say_time(&b, times_said[i].ns);
        assert_string_equal(b.data, times_said[i].text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes_said); i++) {
        MH_BUF(b, 32);

        mh_num_say_size(&b, sizes_said[i].bytes);
        assert_string_equal(b.data, sizes_said[i].text);
    }
    for (unsigned tenths = 1; tenths <= 1000; tenths++) { /* what was read is said again */
        char text[16] = "";
        struct mh_buf b = {text, sizeof(text), 0, false};
        MH_BUF(again, 16);
        uint32_t share;

        mh_buf_add_uint(&b, tenths / 10, 10);
        if (tenths % 10) {
            mh_buf_add_char(&b, '.');
            mh_buf_add_uint(&b, tenths % 10, 10);
        }
        mh_buf_add(&b, " %");
        assert_int_equal(mh_num_percent(text, &share), 0);
        mh_num_say_percent(&again, share);
        assert_string_equal(again.data, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(sizes),
                                       cmocka_unit_test(shares_and_numbers),
                                       cmocka_unit_test(said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
