/* SPDX-License-Identifier: Apache-2.0 */
/* Which layout is chosen for which interpreter, from words that an interpreter could say of itself.
 */
#include "python/layouts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HEX_3_13 = 0x030d00f0, HEX_3_14 = 0x030e0af0, HEX_3_30 = 0x031e00f0, FREE_THREADED = 2 };

/* The head of a _PyRuntime; every word is an offset of its own. */
static uint64_t runtime[256];

static void runtime_make(uint64_t hex)
{
    for (unsigned i = 0; i < 256; i++)
        runtime[i] = 8 * i;
    memcpy(runtime, "xdebugpy", 8);
    runtime[1] = hex;
    runtime[FREE_THREADED] = 0;
}

static void test_words_win_over_the_table(void **state)
{
    struct mh_layout table, found;

    (void)state;
    runtime_make(HEX_3_14);
    assert_int_equal(mh_layout_find(HEX_3_14, NULL, &table), 0);
    assert_int_equal(mh_layout_find(HEX_3_14, runtime, &found), 0);
    assert_int_equal(found.ts_frame, 8 * 26);
    assert_int_equal(found.ge_frame, 8 * 85);
    assert_int_equal(found.co_flags, table.co_flags);
    assert_int_equal(found.op_raise, table.op_raise);
}

static void test_a_new_version_needs_words(void **state)
{
    struct mh_layout found = {0};

    (void)state;
    runtime_make(HEX_3_30);
    assert_int_equal(mh_layout_find(HEX_3_30, NULL, &found), -ENOENT);
    assert_int_equal(found.version, 0);
    assert_int_equal(mh_layout_find(HEX_3_30, runtime, &found), 0);
    assert_int_equal(found.version, 0x031e);
    assert_int_equal(found.op_raise, 0); /* opcodes are renumbered by every version */
    runtime[1] = HEX_3_14;               /* not the interpreter that we asked */
    assert_int_equal(mh_layout_find(HEX_3_30, runtime, &found), -ENOENT);
}

static void test_free_threaded_is_refused(void **state)
{
    struct mh_layout found;

    (void)state;
    for (unsigned minor = 13; minor <= 30; minor++) {
        uint32_t hex = 0x030000f0 | minor << 16;

        runtime_make(hex);
        assert_int_equal(mh_layout_find(hex, runtime, &found), 0);
        runtime[FREE_THREADED] = 1;
        assert_int_equal(mh_layout_find(hex, runtime, &found), -ENOTSUP);
    }
}

static void test_words_that_are_no_offsets(void **state)
{
    struct mh_layout found;

    (void)state;
    runtime_make(HEX_3_30);
    runtime[26] = 1 << 20;
    assert_int_equal(mh_layout_find(HEX_3_30, runtime, &found), -ENOENT);
}

static void test_old_versions_are_not_asked(void **state)
{
    struct mh_layout found;

    (void)state;
    runtime_make(0x030b00f0);
    runtime[FREE_THREADED] = 1;
    assert_int_equal(mh_layout_find(0x030b00f0, runtime, &found), 0);
    assert_int_equal(mh_layout_find(0x030700f0, runtime, &found), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_win_over_the_table),
        cmocka_unit_test(test_a_new_version_needs_words),
        cmocka_unit_test(test_free_threaded_is_refused),
        cmocka_unit_test(test_words_that_are_no_offsets),
        cmocka_unit_test(test_old_versions_are_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
