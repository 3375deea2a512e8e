/* SPDX-License-Identifier: Apache-2.0 */
/* Live bytes and the budget: what fits, what a mapping counts, and that threads lose nothing. */
#include "memory/budget.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { KIB = 1 << 10, MIB = 1 << 20, THREADS = 4, ROUNDS = 20000 };

static int reset(void **state)
{
    mh_budget_reset();
    return 0;
}

static void test_fits(void **state)
{
    assert_true(mh_budget_fits(MIB, MIB));
    assert_false(mh_budget_fits(MIB, MIB + 1));
    mh_budget_add(MIB - 1000);
    assert_true(mh_budget_fits(MIB, 1000));
    assert_false(mh_budget_fits(MIB, 1001));
    mh_budget_add(1000);
    assert_false(mh_budget_fits(MIB, MH_BUDGET_SMALL));
    assert_true(mh_budget_fits(MIB, MH_BUDGET_SMALL - 1));
    mh_budget_add(MIB / 10);
    assert_false(mh_budget_fits(MIB, MH_BUDGET_SMALL - 1));
    assert_false(mh_budget_fits(MIB, SIZE_MAX));
    assert_true(mh_budget_fits(UINT64_MAX / 2, 1));
    mh_budget_add(-4 * MIB);
    assert_int_equal(mh_budget_live(), 0);
}

static void test_counts(void **state)
{
    int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;

    assert_true(mh_budget_counts(256 * KIB, rw, anon));
    assert_true(mh_budget_counts(64 * KIB, rw, MAP_SHARED | MAP_ANONYMOUS));
    assert_false(mh_budget_counts(64 * KIB - 1, rw, anon));
    assert_false(mh_budget_counts(MIB, rw, MAP_PRIVATE));
    assert_false(mh_budget_counts(MIB, PROT_NONE, anon));
    assert_false(mh_budget_counts(MIB, rw, anon | MAP_NORESERVE));
}

static void test_mappings(void **state)
{
    char *a = (char *)(uintptr_t)0x7f0000000000, *b = a + MIB;

    mh_budget_map(a, MIB);
    mh_budget_map(b, 2 * MIB);
    assert_int_equal(mh_budget_live(), 3 * MIB);
    assert_int_equal(mh_budget_unmap(a + 4096, 4096), 0); /* not ours */
    assert_int_equal(mh_budget_unmap(a, MIB), MIB);
    assert_int_equal(mh_budget_unmap(a, MIB), 0);
    assert_int_equal(mh_budget_unmap(b, MIB), MIB); /* its head only */
    assert_int_equal(mh_budget_live(), MIB);
    assert_int_equal(mh_budget_unmap(b + MIB, MIB), MIB);
    assert_int_equal(mh_budget_live(), 0);
    mh_budget_map(a, MIB);
    mh_budget_map(a, 2 * MIB); /* mapped anew over itself */
    assert_int_equal(mh_budget_live(), 2 * MIB);
}

/* More than the table holds: what does not fit is not counted, and not counted back. */
static void test_table_full(void **state)
{
    char *at = (char *)(uintptr_t)0x7f0000000000;
    uint64_t most;

    for (size_t i = 0; i < 20000; i++)
        mh_budget_map(at + i * MIB, MIB);
    most = mh_budget_live();
    assert_true(most >= UINT64_C(4096) * MIB && most < UINT64_C(20000) * MIB);
    for (size_t i = 0; i < 20000; i++)
        mh_budget_unmap(at + i * MIB, MIB);
    assert_int_equal(mh_budget_live(), 0);
    for (size_t i = 0; i < 1000; i++)
        mh_budget_map(at + i * MIB, MIB);
    assert_int_equal(mh_budget_live(), UINT64_C(1000) * MIB);
}

static void *churn(void *arg)
{
    char *at = (char *)(uintptr_t)0x7f0000000000 + (size_t)arg * UINT64_C(1000) * MIB;

    for (size_t i = 0; i < ROUNDS; i++) {
        mh_budget_add(100);
        mh_budget_map(at + i % 50 * MIB, MIB);
        if (i % 2)
            mh_budget_unmap(at + (i - 1) % 50 * MIB, MIB);
        mh_budget_add(-100);
        mh_budget_refuse();
    }
    for (size_t i = 0; i < 50; i++)
        mh_budget_unmap(at + i * MIB, MIB);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mh_budget_live(), 0);
    assert_int_equal(mh_budget_refused(), THREADS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fits, reset),
        cmocka_unit_test_setup(test_counts, reset),
        cmocka_unit_test_setup(test_mappings, reset),
        cmocka_unit_test_setup(test_table_full, reset),
        cmocka_unit_test_setup(test_threads, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
