/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts to points, evidence and grade; see score.h. */
#include "grade/score.h"

#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

const char *const mh_grade_names[] = {"F", "NG", "D", "C", "B", "A"};

/* What each principle counts for. */
static const double principle_weights[MH_PRINCIPLES] = {16, 8, 8, 12, 14, 16, 8, 6, 4, 8};

/* Points and earned points that a grade asks for. Evidence alone would let a failing new test lift
 * a grade; what was earned for certain (points x evidence) cannot rise by a failure. */
static const struct {
    double points, earned;
    enum mh_grade grade;
} thresholds[] = {
    {90, 70, MH_GRADE_A},
    {80, 50, MH_GRADE_B},
    {65, 30, MH_GRADE_C},
    {50, 15, MH_GRADE_D},
};

static const double fail_points = 50, fail_lost = 10;

/* Sums of doubles in another order differ in the last bit: thresholds must not see it. */
static const double epsilon = 1e-9;

double mh_score_quality(enum mh_confidence confidence)
{
    static const double quality[] = {0.4, 0.7, 1};

    return quality[confidence];
}

double mh_score_weight(enum mh_severity severity)
{
    static const double weight[] = {0, 1, 3, 7, 15};

    return weight[severity];
}

enum mh_grade mh_score_by_points(double points)
{
    for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
        if (points >= thresholds[i].points - epsilon)
            return thresholds[i].grade;
    return MH_GRADE_F;
}

double mh_score_earned_for(enum mh_grade grade)
{
    for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
        if (thresholds[i].grade == grade)
            return thresholds[i].earned;
    return 0;
}

static enum mh_grade grade_of(const struct mh_score *s)
{
    if (!s->judged)
        return MH_GRADE_NG;
    for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
        if (s->points >= thresholds[i].points - epsilon && s->low >= thresholds[i].earned - epsilon)
            return thresholds[i].grade;
    return s->points < fail_points - epsilon && s->lost >= fail_lost - epsilon ? MH_GRADE_F
                                                                               : MH_GRADE_NG;
}

static enum mh_grade capped(const struct mh_score *s)
{
    enum mh_grade g = s->uncapped;

    if (s->criticals && g == MH_GRADE_NG)
        return MH_GRADE_F;
    if (s->criticals)
        return MH_MIN(g, MH_GRADE_D);
    if (s->highs >= 3)
        return MH_MIN(g, MH_GRADE_C);
    return s->highs ? MH_MIN(g, MH_GRADE_B) : g;
}

void mh_score_compute(const struct mh_score_rule *rules, size_t n, struct mh_score *ret)
{
    double value[MH_PRINCIPLES] = {0}, judged[MH_PRINCIPLES] = {0}, all[MH_PRINCIPLES] = {0};
    double weights = 0, covered = 0, earned = 0;
    struct mh_score s = {0};

    for (size_t i = 0; i < n; i++) {
        const struct mh_score_rule *r = &rules[i];
        struct mh_score_principle *p = &s.principles[r->principle - 1];
        double w = mh_score_weight(r->nominal);

        if (!r->applicable || w <= 0)
            continue;
        p->applicable = true;
        p->rules++;
        all[r->principle - 1] += w;
        s.highs += r->high;
        s.criticals += r->critical;
        if (!r->judged)
            continue;
        p->judged++;
        s.judged = true;
        value[r->principle - 1] += w * r->quality * r->value;
        judged[r->principle - 1] += w * r->quality;
    }
    for (int i = 0; i < MH_PRINCIPLES; i++) {
        struct mh_score_principle *p = &s.principles[i];

        if (!p->applicable)
            continue;
        p->coverage = judged[i] / all[i];
        p->score = judged[i] > 0 ? 100 * value[i] / judged[i] : 0;
        weights += principle_weights[i];
        covered += principle_weights[i] * p->coverage;
        earned += principle_weights[i] * p->coverage * p->score;
    }
    s.evidence = weights > 0 ? covered / weights : 0;
    s.points = covered > 0 ? earned / covered : 0;
    s.low = s.points * s.evidence;
    s.high = s.low + 100 * (1 - s.evidence);
    s.lost = 100 * s.evidence - s.low;
    s.uncapped = grade_of(&s);
    s.grade = capped(&s);
    *ret = s;
}
