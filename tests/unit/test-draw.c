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

/* Where 0.1 % to 99.9 % of the draws must lie below: from Python's statistics.NormalDist, and from
 * the inverse of Pareto's distribution. */
static void skewed(void **state)
{
    static const double shares[] = {0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999};
    static const struct {
        struct mh_dist dist;
        int64_t quantiles[7];
    } rows[] = {
        {{MH_DIST_pareto, 50000000, 1200000},
         {50041705, 50420523, 54588511, 89089872, 340646035, 2320794417, 15811388301}},
        {{MH_DIST_pareto, 1000000, 3000000},
         {1000334, 1003356, 1035744, 1259921, 2154435, 4641589, 10000000}},
        {{MH_DIST_lognormal, 100000000, 500000},
         {21328710, 31249277, 52688352, 100000000, 189795271, 320007401, 468851618}},
        {{MH_DIST_lognormal, 1000000, 1500000},
         {9703, 30515, 146266, 1000000, 6836852, 32770274, 103063825}},
    };
    enum { N = 100000 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int below[7] = {0};

        for (uint64_t word = 0; word < N; word++) {
            int64_t x = mh_dist_draw(&rows[i].dist, mh_mix(word));

            assert_true(x >= (rows[i].dist.kind == MH_DIST_pareto ? rows[i].dist.a - 1 : 0));
            assert_int_equal(x, mh_dist_draw(&rows[i].dist, mh_mix(word)));
            for (int k = 0; k < 7; k++)
                below[k] += x <= rows[i].quantiles[k];
        }
        for (int k = 0; k < 7; k++) {
            double p = shares[k], off = below[k] / (double)N - p;

            assert_true(off * off < 16 * p * (1 - p) / N); /* four deviations */
        }
    }
    /* never above an hour, and an infinite mean is one */
    for (uint64_t word = 0; word < 1000; word++)
        assert_true(mh_dist_draw(&(struct mh_dist){MH_DIST_pareto, 1000000, 50000}, word) <=
                    INT64_C(3600000000000));
    assert_true(mh_dist_mean(&(struct mh_dist){MH_DIST_pareto, 1000, 1000000}) ==
                INT64_C(3600000000000));
    assert_int_equal(mh_dist_mean(&(struct mh_dist){MH_DIST_pareto, 1000, 2000000}), 2000);
    assert_int_equal(mh_dist_mean(&(struct mh_dist){MH_DIST_lognormal, 1000000, 500000}), 1133148);
}

/* x, and what Python's math module makes of it. */
static void logarithms(void **state)
{
    static const double logs[][2] = {
        {1e-300, -690.7755278982137},      {1e-09, -20.72326583694641},
        {0.1, -2.3025850929940455},        {0.5, -0.6931471805599453},
        {0.9999, -0.00010000500033334732}, {1.0, 0.0},
        {1.4142, 0.3465640001880033},      {2.0, 0.6931471805599453},
        {3.0, 1.0986122886681098},         {1000000.0, 13.815510557964274},
        {1e+300, 690.7755278982137},
    };
    static const double exps[][2] = {
        {-600.0, 2.6503965530043108e-261},
        {-20.5, 1.2501528663867426e-09},
        {-1.0, 0.36787944117144233},
        {-1e-09, 0.999999999},
        {0.0, 1.0},
        {0.3465, 1.4141094938303624},
        {0.3466, 1.4142509118505286},
        {1.0, 2.718281828459045},
        {2.5, 12.182493960703473},
        {50.0, 5.184705528587072e+21},
        {600.0, 3.7730203009299397e+260},
    };

    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        double off = mh_draw_log(logs[i][0]) - logs[i][1];

        assert_true(off < 1e-12 && off > -1e-12);
    }
    for (size_t i = 0; i < ARRAY_SIZE(exps); i++) {
        double off = mh_draw_exp(exps[i][0]) / exps[i][1] - 1;

        assert_true(off < 1e-12 && off > -1e-12);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(distributions), cmocka_unit_test(skewed),
                                       cmocka_unit_test(logarithms), cmocka_unit_test(ranges)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
