/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of the time before malloc: alignment, sizes, ownership, and its end. */
#include "memory/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_blocks(void **state)
{
    char *last = NULL;
    int local;

    assert_false(mh_pool_used());
    for (size_t align = 1; align <= 4096; align *= 2) {
        for (size_t n = 0; n < 40; n += 13) {
            char *p = mh_pool_alloc(align, n);

            assert_non_null(p);
            assert_int_equal((uintptr_t)p % align, 0);
            assert_int_equal((uintptr_t)p % 16, 0);
            assert_int_equal(mh_pool_size(p), n);
            assert_true(mh_pool_owns(p));
            assert_true(p > last);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
            last = p + n;
        }
    }
    assert_true(mh_pool_used());
    assert_false(mh_pool_owns(&local));
    assert_false(mh_pool_owns(NULL));
    assert_false(mh_pool_owns(mh_pool_area + MH_POOL_SIZE));
    assert_false(mh_pool_owns(mh_pool_area - 1));
    assert_int_equal(mh_pool_size(&local), 0);
    assert_null(mh_pool_alloc(3, 10));
    assert_null(mh_pool_alloc(24, 10));
}

static void test_end(void **state)
{
    size_t n = 0;

    assert_null(mh_pool_alloc(16, MH_POOL_SIZE));
    assert_null(mh_pool_alloc(16, SIZE_MAX));
    while (mh_pool_alloc(16, 1000))
        n++;
    assert_true(n > 100 && n < MH_POOL_SIZE / 1000 + 1);
    assert_null(mh_pool_alloc(16, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
