/* SPDX-License-Identifier: Apache-2.0 */
/* grade/score.c: known scores, and the promises that no number may break: a better verdict never
 * lowers points, earned points or grade; a new failure never raises the earned or the grade; a new
 * pass never lowers any of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "grade/score.h"

#include "base/banned.h"

enum { RULES = 24, FLIPS = 200000 };

static uint64_t drawn;

static uint64_t draw(uint64_t n)
{
    return mh_mix(++drawn) % n;
}

/* One rule in each principle, all judged alike. */
static void ten(struct mh_score_rule rules[MH_PRINCIPLES], double value, double quality)
{
    for (int i = 0; i < MH_PRINCIPLES; i++)
        rules[i] = (struct mh_score_rule){.principle = i + 1,
                                          .nominal = MH_SEVERITY_high,
                                          .applicable = true,
                                          .judged = true,
                                          .value = value,
                                          .quality = quality};
}

static void known_scores(void **state)
{
    struct mh_score_rule rules[MH_PRINCIPLES];
    struct mh_score s;

    ten(rules, 1, 1);
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_A);
    assert_float_equal(s.points, 100, 1e-6);
    assert_float_equal(s.evidence, 1, 1e-9);

    ten(rules, 0, 1);
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_F);
    assert_float_equal(s.lost, 100, 1e-6);
    assert_float_equal(s.high, 0, 1e-6);

    /* low confidence throughout: 100 points on 40 % of the evidence */
    ten(rules, 1, 0.4);
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_float_equal(s.low, 40, 1e-6);
    assert_float_equal(s.high, 100, 1e-6);
    assert_int_equal(s.grade, MH_GRADE_C);

    /* two principles of weights 16 and 4, one passed, one not judged */
    memset(rules, 0, sizeof(rules));
    rules[0] = (struct mh_score_rule){.principle = 1,
                                      .nominal = MH_SEVERITY_low,
                                      .applicable = true,
                                      .judged = true,
                                      .value = 0.5,
                                      .quality = 1};
    rules[1] =
        (struct mh_score_rule){.principle = 9, .nominal = MH_SEVERITY_critical, .applicable = true};
    mh_score_compute(rules, 2, &s);
    assert_float_equal(s.points, 50, 1e-6);
    assert_float_equal(s.evidence, 0.8, 1e-9);
    assert_float_equal(s.low, 40, 1e-6);
    assert_float_equal(s.high, 60, 1e-6);
    assert_int_equal(s.grade, MH_GRADE_D);
    assert_false(s.principles[1].applicable);
}

static void caps(void **state)
{
    struct mh_score_rule rules[MH_PRINCIPLES];
    struct mh_score s;

    ten(rules, 1, 1);
    rules[3].high = 1;
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_B);
    assert_int_equal(s.uncapped, MH_GRADE_A);
    rules[3].high = 3;
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_C);
    rules[5].critical = 1;
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_D);

    memset(rules, 0, sizeof(rules));
    ten(rules, 1, 1);
    for (int i = 0; i < MH_PRINCIPLES; i++)
        rules[i].judged = false;
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_NG);
    assert_false(s.judged);
    /* nothing but a single critical failure in a small rule: not NG, F */
    rules[8] = (struct mh_score_rule){.principle = 9,
                                      .nominal = MH_SEVERITY_low,
                                      .applicable = true,
                                      .judged = true,
                                      .quality = 0.7,
                                      .critical = 1};
    mh_score_compute(rules, MH_PRINCIPLES, &s);
    assert_int_equal(s.grade, MH_GRADE_F);
}

static void randomise(struct mh_score_rule *r)
{
    static const double qualities[] = {0.4, 0.7, 1};
    static const double values[] = {0, 0.5, 1};

    *r = (struct mh_score_rule){.principle = 1 + (int)draw(MH_PRINCIPLES),
                                .nominal = (enum mh_severity)(1 + draw(4)),
                                .applicable = draw(8) > 0,
                                .judged = draw(3) > 0,
                                .value = values[draw(3)],
                                .quality = qualities[draw(3)]};
}

/* An open failure caps by its severity when it is sure enough; a partial one by one step less. */
static void set_caps(struct mh_score_rule *r)
{
    enum mh_severity severity = r->nominal;

    r->high = r->critical = 0;
    if (!r->judged || r->value > 0.9 || r->quality < 0.5)
        return;
    if (r->value > 0.1)
        severity--;
    r->high = severity == MH_SEVERITY_high;
    r->critical = severity == MH_SEVERITY_critical;
}

static void flips(void **state)
{
    struct mh_score_rule rules[RULES];
    unsigned better = 0, failed = 0, passed = 0;

    for (unsigned i = 0; i < FLIPS; i++) {
        struct mh_score_rule *r;
        struct mh_score before, after;

        if (i % 16 == 0)
            for (unsigned k = 0; k < RULES; k++)
                randomise(&rules[k]);
        r = &rules[draw(RULES)];
        randomise(r);
        r->applicable = true;
        for (unsigned k = 0; k < RULES; k++)
            set_caps(&rules[k]);
        mh_score_compute(rules, RULES, &before);
        assert_true(before.low <= before.high + 1e-9 && before.evidence <= 1 + 1e-9);
        if (!r->judged) {
            r->judged = true;
            r->value = draw(2) ? 1 : 0;
            set_caps(r);
            mh_score_compute(rules, RULES, &after);
            if (r->value > 0) {
                assert_true(after.low >= before.low - 1e-9);
                assert_true(after.grade >= before.grade);
                assert_true(!before.judged || after.points >= before.points - 1e-9);
                passed++;
            } else {
                assert_true(after.low <= before.low + 1e-9);
                /* the first failure of all says more than nothing: F stands below NG */
                assert_true(after.grade <= before.grade);
                failed++;
            }
        } else if (r->value < 1) {
            r->value += 0.5;
            set_caps(r);
            mh_score_compute(rules, RULES, &after);
            assert_true(after.points >= before.points - 1e-9);
            assert_true(after.low >= before.low - 1e-9);
            assert_true(after.grade >= before.grade);
            better++;
        }
    }
    assert_true(better + failed + passed >= 100000);
    assert_true(better > 10000 && failed > 10000 && passed > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_scores), cmocka_unit_test(caps),
                                       cmocka_unit_test(flips)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
