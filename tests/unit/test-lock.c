/* SPDX-License-Identifier: Apache-2.0 */
/* Locks: who waits gets it, however long its holder is away; what was left behind is not waited for
 * twice. */
#include "base/lock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct {
    uint32_t lock;
    int64_t count;
} guarded;

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    mh_sys(SYS_nanosleep, &t, 0);
}

/* Holds it for as long as a preempted thread would. */
static void *holder(void *held)
{
    assert_true(mh_lock(&guarded.lock));
    __atomic_store_n((int *)held, 1, __ATOMIC_RELEASE);
    sleep_ms(100);
    guarded.count = 1;
    mh_lock_open(&guarded.lock);
    return NULL;
}

static void test_a_holder_that_is_away(void **state)
{
    pthread_t thread;
    int held = 0;

    guarded.count = 0;
    assert_int_equal(pthread_create(&thread, NULL, holder, &held), 0);
    while (!__atomic_load_n(&held, __ATOMIC_ACQUIRE))
        sleep_ms(1);
    assert_true(mh_lock(&guarded.lock));
    assert_int_equal(guarded.count, 1);
    mh_lock_open(&guarded.lock);
    pthread_join(thread, NULL);
    assert_int_equal(guarded.lock, MH_LOCK_OPEN);
}

enum { THREADS = 8, ROUNDS = 20000 };

static void *counter(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(mh_lock(&guarded.lock));
        guarded.count++;
        mh_lock_open(&guarded.lock);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    pthread_t threads[THREADS];

    guarded.count = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, counter, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(guarded.count, (int64_t)THREADS * ROUNDS);
    assert_int_equal(guarded.lock, MH_LOCK_OPEN);
}

static void test_left_behind(void **state)
{
    uint32_t lock = MH_LOCK_OPEN;
    int64_t start;

    assert_true(mh_lock(&lock));
    assert_false(mh_lock_try(&lock));
    assert_false(mh_lock(&lock)); /* the second of grace */
    start = mh_now();
    for (int i = 0; i < 1000; i++)
        assert_false(mh_lock(&lock));
    assert_true(mh_now() - start < 500000000);
    mh_lock_open(&lock); /* it was only very late */
    assert_true(mh_lock(&lock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_holder_that_is_away),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
