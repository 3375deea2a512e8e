/* SPDX-License-Identifier: Apache-2.0 */
/* A client that waits in steps, and looks for signals between them: what are its limits? */
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
#include "play-more.h"
#include "stage.h"
#include "story.h"

#include "base/banned.h"

enum { STEP_MS = 20, STEPS = 3, LONG_STEPS = 150 };

/* Asked; then so many steps in vain, on a connection of its own. Returns the connection. */
static int64_t asks_in_steps(struct story *s, int steps, bool held)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "", .conn = conn, .peer = PRICES, .exchange = 1, .digest = 7,
          .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = STEP_MS * STORY_MS, .pending = 1, .fds = 1, .stack = IN_PRICES);
    if (held)
        fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
    for (int i = 0; i < steps; i++) {
        s->now += STEP_MS;
        story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
              .timeout_ns = STEP_MS * STORY_MS, .waited_ns = STEP_MS * STORY_MS, .blocking = 1,
              .stack = IN_PRICES);
    }
    return conn;
}

static void is_answered(struct story *s, int64_t conn, int after_ms)
{
    s->now += after_ms;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES,
          .latency_ns = STORY_MS);
}

static void at_once(struct story *s, struct answer *a)
{
    is_answered(s, asks_in_steps(s, 0, false), 2);
}
static void in_steps(struct story *s, struct answer *a)
{
    is_answered(s, asks_in_steps(s, STEPS, false), 5);
    a->ms = STEPS * STEP_MS + 8;
}
/* A limit that it means: it leaves then. */
static void leaves(struct story *s, struct answer *a)
{
    int64_t conn = asks_in_steps(s, 1, false);

    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    a->ms = STEP_MS + 5;
}
/* A hang is waited out, step by step. */
static void outwaits(struct story *s, struct answer *a)
{
    is_answered(s, asks_in_steps(s, LONG_STEPS, true), 5);
    a->ms = LONG_STEPS * STEP_MS + 8;
}
static void leaves_a_hang(struct story *s, struct answer *a)
{
    int64_t conn = asks_in_steps(s, 1, true);

    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    *a = (struct answer){.status = 503, .ms = STEP_MS + 5, .retry_after = 5};
}

static const struct play plays[] = {
    {"slow answers, waited for in steps", "MH-0603", "pass", in_steps, in_steps, .hits = 5},
    {"slow answers, not waited for", "MH-0603", "fail", leaves, leaves, .hits = 5},
    {"a hang outwaited in steps", "MH-0601", "unclear", at_once, outwaits, .hits = 1},
    {"a hang that was left", "MH-0601", "pass", at_once, leaves_a_hang, .hits = 5},
    {"a hang outwaited in steps", "MH-0602", "not exercised", at_once, outwaits, .hits = 1},
    {"a hang that was left", "MH-0602", "pass", at_once, leaves_a_hang, .hits = 5},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
