/* SPDX-License-Identifier: Apache-2.0 */
/* rule/draw.c: draws have the mean, the spread and the bounds that were asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "rule/draw.h"

#include "base/banned.h"

static void distributions(void **state)
{
    static const struct {
        struct mh_dist dist;
        int64_t low, high, mean, deviation; /* that the draws must show */
    } rows[] = {
        {{MH_DIST_fixed, 200, 0}, 200, 200, 200, 0},
        {{MH_DIST_jitter, 20000, 5000}, 15000, 25000, 20000, 2887},
        {{MH_DIST_jitter, 5000, 5000}, 0, 10000, 5000, 2887},
        {{MH_DIST_uniform, 5000, 30000}, 5000, 30000, 17500, 7217},
        {{MH_DIST_normal, 200000, 20000}, 80000, 320000, 200000, 20000},
        {{MH_DIST_normal, 100, 100000}, 0, 700000, 39950, 58400}, /* half of it is cut at 0 */
    };
    enum { N = 50000 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        double sum = 0, squares = 0, mean, deviation;

        for (uint64_t word = 0; word < N; word++) {
            int64_t x = mh_dist_draw(&rows[i].dist, mh_mix(word));

            assert_in_range(x, rows[i].low, rows[i].high);
            assert_int_equal(x, mh_dist_draw(&rows[i].dist, mh_mix(word)));
            sum += (double)x;
            squares += (double)x * (double)x;
        }
        mean = sum / N;
        deviation = squares / N - mean * mean;
        assert_in_range((int64_t)mean, rows[i].mean * 98 / 100, rows[i].mean * 102 / 100);
        assert_in_range((int64_t)deviation, rows[i].deviation * rows[i].deviation / 100 * 94,
                        rows[i].deviation * rows[i].deviation / 100 * 106);
    }
}

static void ranges(void **state)
{
    unsigned seen[16] = {0};

    for (uint64_t word = 0; word < 1600; word++)
        seen[mh_range_draw(1, 16, word) - 1]++;
    for (int i = 0; i < 16; i++)
        assert_in_range(seen[i], 50, 150);
    assert_true(mh_range_draw(0, UINT64_MAX, 77) == 77);
    assert_true(mh_range_draw(5, 5, 77) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(distributions), cmocka_unit_test(ranges)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
