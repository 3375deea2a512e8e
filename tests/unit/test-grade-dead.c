/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0204: connections that were kept, and are dead. */
#include <errno.h>
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

/* What a request does, a letter each: . well on the first kept connection, 1 to 4 reset on that
 * one, n well on a new one, r refused on a new one, x no call and a 503, t 1 and then n in one
 * request. Small letters after | come when the fault is over. */
struct row {
    const char *name, *expected, *does;
    bool real; /* no fault of ours */
};

static const struct row rows[] = {
    {"nothing was reset", "not exercised", "....|....", false},
    {"tried once more at once", "pass", "..t|....", false},
    {"one request for each", "pass", "1n|....", false},
    {"four kept ones, one request each", "pass", "1|234n....", false},
    {"the same one over and over", "fail", "1|11111111n..", false},
    {"a handle that is closed for good", "fail", "1|xxxxxxxxxxxx", false},
    /* while it is down nobody can do better */
    {"refused for long", "pass", "1rrrrrrrr|n....", false},
    {"in the outage only", "unclear", "1xxxxxx|", false},
    {"a breaker", "unclear", "1rrr|xxxxxxxxxx", false},
    {"really reset, and nobody connects", "unclear", "1|11111111", true},
};

static void send_on(struct story *s, int64_t conn, int64_t unit, bool first)
{
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = first ? 1 : 2,
          .digest = 7, .stack = IN_PRICES, .unit = unit);
    s->now += 2;
}

static void answered(struct story *s, int64_t conn, int64_t unit, bool fresh)
{
    if (fresh)
        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
              .unit = unit);
    send_on(s, conn, unit, fresh);
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .stack = IN_PRICES);
}

static void reset(struct story *s, int64_t conn, int64_t unit, const struct row *row)
{
    send_on(s, conn, unit, false);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .conn = conn,
          .peer = PRICES, .result = -1, .err = ECONNRESET, .wait_ns = -1, .fault = !row->real,
          .effect = row->real ? 0 : MH_EFFECT_reset + 1, .ordinal = s->ids, .stack = IN_PRICES,
          .side = 1, .unit = unit);
}

static void request(struct story *s, char what, const struct row *row)
{
    int64_t id = ++s->ids, conn = ++s->ids, begun = s->now;
    int status = what == '.' || what == 'n' || what == 't' ? 200 : 503;

    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id);
    if (what == '.')
        answered(s, 901, id, false);
    else if (what >= '1' && what <= '4')
        reset(s, 900 + what - '0', id, row);
    if (what == 't')
        reset(s, 901, id, row);
    if (what == 'n' || what == 't')
        answered(s, conn, id, true);
    if (what == 'r') {
        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .err = ECONNREFUSED,
              .stack = IN_PRICES, .unit = id);
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_connect, .call = MH_CALL_connect,
              .conn = conn, .peer = PRICES, .result = -1, .err = ECONNREFUSED, .wait_ns = -1,
              .fault = 1, .effect = MH_EFFECT_error + 1, .ordinal = s->ids, .stack = IN_PRICES,
              .side = 1, .unit = id);
    }
    s->now += 3;
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = status,
          .latency_ns = (s->now - begun) * STORY_MS, .digest = 7, .nkeys = 2, .keys = 5,
          .retry_after_s = -1);
    s->now += 200;
}

static const char *judged(const struct row *row)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 1; i <= 4; i++) {
        int kept = strchr(row->does, '4') ? 4 : 1;

        for (int k = 0; k < 3 && i <= kept; k++) {
            int64_t id = ++s.ids;

            story(&s, unit_begin, "GET /product/7", .unit = id, .conn = id);
            answered(&s, 900 + i, id, !k);
            s.now += 3;
            story(&s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 200,
                  .latency_ns = 5 * STORY_MS, .digest = 7, .nkeys = 2, .keys = 5,
                  .retry_after_s = -1);
            s.now += 20;
        }
    }
    s.now = CALM_MS;
    if (row->real) /* a fault elsewhere: what comes is not calm */
        refuse(&s, OTHER);
    for (const char *c = row->does; *c; c++) {
        if (*c == '|')
            s.now = MH_MAX(s.now, FAULT_MS + 1);
        else
            request(&s, *c, row);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-0204");
}

static void pools(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pools)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
