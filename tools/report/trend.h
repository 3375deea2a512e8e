/* SPDX-License-Identifier: Apache-2.0 */
/* The points of the last runs, as the text formats tell of them. */
#pragma once

#include <jansson.h>

#include "report/lang.h"

enum { MH_TREND_RUNS = 32, MH_TREND_NO_POINTS = -1 };

struct mh_trend {
    int points[MH_TREND_RUNS]; /* whole, oldest first; MH_TREND_NO_POINTS: a run without a grade */
    const char *grades[MH_TREND_RUNS]; /* borrowed from the document */
    int n;                             /* 0: the document has no trend */
    char says[128];                    /* "71 points, 4 more than before; best of 12 runs: 78" */
};

void mh_trend_read(const json_t *document, const struct mh_lang *lang, struct mh_trend *ret);

/* A bar as high as the points: one character of UTF-8, and its ASCII twin, the tens of points. */
const char *mh_trend_bar(int points);
const char *mh_trend_digit(int points);
