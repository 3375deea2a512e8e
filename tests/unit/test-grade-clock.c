/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2018: calls that hang, and a clock that is set meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "play.h"
#include "story.h"

#include "base/banned.h"

enum { HOUR = 3600, LIMIT = 1000 };

struct row {
    const char *name, *expected;
    int hours;      /* by which the clock is set */
    int took;       /* ms: a call within which it is set; otherwise LIMIT */
    int asked;      /* s: a wait that is asked for after it was set */
    int others;     /* calls without it */
    int into;       /* ms of a call that had passed then */
    bool answered;  /* it was, in the end */
    bool peer_ends; /* the peer closes then */
    bool left;      /* its caller left then */
    bool twice;     /* the clock is right again 100 ms later */
    bool never;     /* set before the process began */
};

static const struct row rows[] = {
    {"goes on, set back", "fail Medium", -1, 4000, .others = 5, .into = 300},
    {"goes on until it is answered", "fail Medium", -1, 4000, .others = 5, .into = 300,
     .answered = true},
    {"asks for the step", "fail Medium", -1, 1500, .asked = HOUR + 1, .into = 300},
    {"asks for more than the step", "unclear", -1, 1500, .asked = 2 * HOUR, .into = 300},
    {"ended at its limit, set back", "pass", -1, LIMIT, .others = 5, .into = 300},
    {"ended at its limit, set back twice", "unclear", -1, LIMIT, .others = 5, .into = 300,
     .twice = true},
    {"ended at once, set forward", "fail Medium", 1, 350, .others = 5, .into = 300},
    {"ended at once, but its caller left", "unclear", 1, 350, .others = 5, .into = 300,
     .left = true},
    {"ended at once, by the peer", "unclear", 1, 350, .others = 5, .into = 300, .peer_ends = true},
    {"ended at its limit, set forward", "unclear", 1, LIMIT, .others = 5, .into = 300},
    {"nothing to compare with", "unclear", -1, 4000, .into = 300},
    {"answered in time", "unclear", -1, 500, .others = 5, .into = 300, .answered = true},
    {"begun with the clock", "not exercised", -1, LIMIT, .others = 5, .into = 20},
    {"no wait under way", "not exercised", -1, 0, .others = 5},
    {"the clock is not set", "not exercised", 0, LIMIT, .others = 5, .into = 300},
    {"set before it began", "not exercised", -1, LIMIT, .others = 5, .into = 300, .never = true},
};

static void set_clock(struct story *s, int hours, int ago_ms)
{
    if (hours)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_clock, .call = MH_CALL_clock_gettime,
              .fd = -1, .fault = 1, .effect = MH_EFFECT_step + 1, .stack = IN_PRICES);
    story(s, clock, "", .ahead = (int64_t)hours * HOUR * 1000 * STORY_MS,
          .set_at = story_at(s) - ago_ms * STORY_MS, .fault = hours != 0);
}

/* One request with one call that hangs; row NULL: and no clock is set. */
static void one(struct story *s, const struct row *row)
{
    int64_t conn = ++s->ids, unit = ++s->ids, begun = story_at(s);
    int took = row ? row->took : LIMIT, into = row ? row->into : took;

    story(s, unit_begin, "GET /product/7", .unit = unit, .conn = unit);
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll, .pending = 1,
          .timeout_ns = LIMIT * STORY_MS, .fds = 1, .stack = IN_PRICES);
    s->now += into;
    if (row && row->hours && !row->never)
        set_clock(s, row->hours, 10);
    if (row && row->asked)
        story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll, .pending = 1,
              .timeout_ns = (int64_t)row->asked * 1000 * STORY_MS, .fds = 1, .stack = IN_PRICES);
    if (row && row->twice) {
        s->now += 100;
        set_clock(s, 0, 10);
        took -= 100;
    }
    s->now += took - into;
    if (row && row->left)
        story(s, unit_end, "GET /product/7", .unit = unit, .conn = unit, .how = 1,
              .begun_at = begun);
    if (row && (row->answered || row->peer_ends))
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1,
              .latency_ns = took * STORY_MS, .status = row->answered ? 200 : 0,
              .eof = row->peer_ends, .stack = IN_PRICES);
    story(s, close, "", .conn = conn, .peer = PRICES, .pending = !(row && row->answered),
          .stack = IN_PRICES);
    s->now += 5;
    if (!row || !row->left)
        story(s, unit_end, "GET /product/7", .unit = unit, .conn = unit, .status = 503,
              .latency_ns = story_at(s) - begun, .begun_at = begun);
    s->now += 100;
    if (row && row->hours && !row->twice && !row->never)
        set_clock(s, 0, 50);
}

static const char *judged(const struct row *row)
{
    static char got[64];
    struct story s = {.born = 0};
    json_t *document;
    const json_t *f;

    fault_ms = 60000;
    story_open(&s, "a");
    prologue(&s);
    if (row->never)
        set_clock(&s, row->hours, 5000);
    s.tid = WORKER;
    while (s.now < CALM_MS)
        unit(&s, well, 10);
    for (int i = 0; i < row->others; i++)
        one(&s, NULL);
    for (int i = 0; i < 3 && row->took; i++)
        one(&s, row);
    if (!row->took)
        set_clock(&s, row->hours, 10);
    s.now += 1000;
    for (int i = 0; i < 5; i++)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-2018");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-2018"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void clocks(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
