/* SPDX-License-Identifier: Apache-2.0 */
/* The score: what verdicts of rules add up to. Pure arithmetic over plain structs; no model, no
 * I/O. A better verdict never lowers it, a new failure never raises it; tests/unit/test-score.c
 * says so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum mh_severity {
    MH_SEVERITY_info,
    MH_SEVERITY_low,
    MH_SEVERITY_medium,
    MH_SEVERITY_high,
    MH_SEVERITY_critical
};
enum mh_confidence { MH_CONFIDENCE_low, MH_CONFIDENCE_medium, MH_CONFIDENCE_high };

/* Worst first, so that a comparison is one. */
enum mh_grade { MH_GRADE_F, MH_GRADE_NG, MH_GRADE_D, MH_GRADE_C, MH_GRADE_B, MH_GRADE_A };
extern const char *const mh_grade_names[];

enum { MH_PRINCIPLES = 10 };

/* One rule as the score sees it. */
struct mh_score_rule {
    int principle;            /* 1 to 10 */
    enum mh_severity nominal; /* gives the weight; info weighs nothing */
    bool applicable, judged;  /* judged: pass, partial or fail */
    double value;             /* 1 pass, 0.5 partial, 0 fail; mean over the rule's sites */
    double quality;           /* 0.4 low, 0.7 medium, 1 high confidence */
    /* open failures of medium confidence or better, by the severity of the finding */
    unsigned high, critical;
};

struct mh_score_principle {
    bool applicable;
    double score;    /* 0..100; meaningless when nothing was judged */
    double coverage; /* 0..1 */
    unsigned judged, rules;
};

struct mh_score {
    enum mh_grade grade, uncapped;
    bool judged;            /* anything at all */
    double points;          /* P, 0..100 */
    double evidence;        /* C, 0..1 */
    double low, high, lost; /* L, U, and what failures cost for certain */
    struct mh_score_principle principles[MH_PRINCIPLES];
    unsigned highs, criticals;
};

/* The grade that points alone would give, and the points that a grade asks to be earned for
 * certain. */
enum mh_grade mh_score_by_points(double points);
double mh_score_earned_for(enum mh_grade grade);

void mh_score_compute(const struct mh_score_rule *rules, size_t n, struct mh_score *ret);

/* 0.4, 0.7, 1 */
double mh_score_quality(enum mh_confidence confidence);

/* 0, 1, 3, 7, 15 */
double mh_score_weight(enum mh_severity severity);
