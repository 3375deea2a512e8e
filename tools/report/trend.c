/* SPDX-License-Identifier: Apache-2.0 */
/* The last runs' points as bars and as a sentence; see trend.h. */
#include "report/trend.h"

#include <stdio.h>
#include <string.h>

#include "report/doc.h"

#include "base/banned.h"

const char *mh_trend_bar(int points)
{
    static const char *const bars[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                       "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                       "\xe2\x96\x87", "\xe2\x96\x88"};

    if (points < 0)
        return "?";
    return bars[MH_MIN(points * (int)ARRAY_SIZE(bars) / 100, (int)ARRAY_SIZE(bars) - 1)];
}

const char *mh_trend_digit(int points)
{
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

    return points < 0 ? "?" : digits[MH_MIN(points / 10, (int)ARRAY_SIZE(digits) - 1)];
}

/* Points on too little evidence for a grade say nothing: two passed rules can make 100 of them. */
static int points_of(const json_t *run)
{
    bool graded = mh_doc_known(run, "points") && strcmp(mh_doc_text(run, "grade"), "NG") != 0;
    long long points = graded ? mh_doc_rounded(run, "points", 1) : -1;

    return points < 0 || points > 100 ? MH_TREND_NO_POINTS : (int)points;
}

static void say(struct mh_trend *t, const struct mh_lang *lang)
{
    int now = t->points[t->n - 1], before = MH_TREND_NO_POINTS, best = now, n;

    for (int i = 0; i < t->n - 1; i++) {
        best = MH_MAX(best, t->points[i]);
        before = t->points[i] < 0 ? before : t->points[i];
    }
    if (now < 0)
        n = snprintf(t->says, sizeof(t->says), "%s",
                     mh_lang_text(lang, MH_TEXT("the last run has no grade")));
    else if (before < 0)
        n = snprintf(t->says, sizeof(t->says),
                     mh_lang_text(lang, MH_TEXT("%d points, nothing to compare with yet")), now);
    else if (now == before)
        n = snprintf(t->says, sizeof(t->says), mh_lang_text(lang, MH_TEXT("%d points, as before")),
                     now);
    else
        n = snprintf(t->says, sizeof(t->says),
                     mh_lang_text(lang, now > before ? MH_TEXT("%d points, %d more than before")
                                                     : MH_TEXT("%d points, %d fewer than before")),
                     now, now > before ? now - before : before - now);
    if (before >= 0)
        snprintf(t->says + n, sizeof(t->says) - (size_t)n,
                 mh_lang_text(lang, MH_TEXT("; best of %d runs: %d")), t->n, best);
}

void mh_trend_read(const json_t *document, const struct mh_lang *lang, struct mh_trend *ret)
{
    const json_t *runs = mh_doc_at(document, "trend.runs");
    size_t n = json_array_size(runs), from = n > MH_TREND_RUNS ? n - MH_TREND_RUNS : 0;

    ret->n = 0;
    ret->says[0] = '\0';
    for (size_t i = from; i < n; i++) {
        const json_t *run = json_array_get(runs, i);

        ret->points[ret->n] = points_of(run);
        ret->grades[ret->n++] = mh_doc_text(run, "grade");
    }
    if (ret->n)
        say(ret, lang);
}
