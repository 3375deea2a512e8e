/* SPDX-License-Identifier: Apache-2.0 */
/* What a fourth set of applications that nobody had graded before showed: loops of one request
 * alone, greenlets, limits that are not the socket's, peers that never answer, threads that cannot
 * be had. */
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

enum { IN_THREAD = 90, IN_GREENLET = 91, IN_MODULE = 92 };

/* ---- MH-2004: whose loop stands still? ---- */

/* A coroutine blocks a loop that its request alone has: a thread answered, not the loop. */
static void blocks_alone(struct story *s, struct answer *a)
{
    s->tid = 300 + (uint32_t)s->ids;
    blocks(s, a);
    a->task = 0;
    s->tid = WORKER;
}

static void sleeps(struct story *s, int ms, int64_t task, int64_t unit)
{
    story(s, sleep, "", .requested_ns = ms * STORY_MS, .stack = IN_PRICES, .task = task,
          .unit = unit);
    s->now += ms;
}

/* All requests use one loop in a thread beside: work for one, for the other, for the first again.
 */
static void blocks_beside(struct story *s, struct answer *a)
{
    int64_t own = s->ids, other = ++s->ids;

    s->tid = 301;
    story(s, unit_begin, "GET /product/8", .unit = other, .conn = other);
    s->tid = 300;
    sleeps(s, 1, 7, own);
    sleeps(s, 1, 8, other);
    sleeps(s, 300, 7, own);
    s->tid = 301;
    story(s, unit_end, "GET /product/8", .unit = other, .conn = other, .status = 200,
          .latency_ns = 302 * STORY_MS, .retry_after_s = -1);
    s->tid = WORKER;
}

static const char *of_main_thread(int stack)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    story(&s, stack, "rate\t/srv/shop/rates.py\t21\nhandle\t/srv/server/pool.py\t34",
          .stack = IN_GREENLET, .frames = 2);
    story(&s, stack, "rate\t/srv/shop/rates.py\t21\n<module>\t/srv/shop/rates.py\t90",
          .stack = IN_MODULE, .frames = 2);
    story(&s, stack,
          "rate\t/srv/shop/rates.py\t21\nThread._bootstrap\t/usr/lib/python3.11/threading.py\t995",
          .stack = IN_THREAD, .frames = 2);
    s.tid = STORY_PID;
    for (int i = 0; i < CALM + HIT; i++) {
        int64_t id = ++s.ids, begun = s.now;

        s.now = i == CALM ? CALM_MS : s.now;
        begun = s.now;
        story(&s, unit_begin, "GET /rate/7", .unit = id, .conn = id);
        if (i >= CALM) {
            story(&s, request, "", .conn = id, .peer = OTHER, .exchange = 1, .stack = stack);
            fault_at(&s, MH_OP_recv, 0, MH_EFFECT_delay, OTHER, id, 0);
            s.now += 300;
            story(&s, waited, "", .conn = id, .peer = OTHER, .call = MH_CALL_poll, .timeout_ns = -1,
                  .waited_ns = 300 * STORY_MS, .ready = 1, .blocking = 1, .stack = stack);
        }
        s.now += 2;
        story(&s, unit_end, "GET /rate/7", .unit = id, .conn = id, .status = 200,
              .latency_ns = (s.now - begun) * STORY_MS, .retry_after_s = -1, .stack = stack);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-2004");
}

static void greenlets(void **state)
{
    assert_string_equal(of_main_thread(IN_GREENLET), "fail");
    assert_string_equal(of_main_thread(IN_MODULE), "not applicable");
    assert_string_equal(of_main_thread(IN_THREAD), "not applicable");
}

/* ---- MH-0601, MH-0602: an alarm, or a watchdog, ends what has no limit of its own ---- */

/* limit: of its waits, ns, -1 none; connects: whether its connect had none. */
static void held_for(struct story *s, struct answer *a, int ms, bool connects, int64_t limit)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
          .timeout_ns = connects ? -1 : 0);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_recv, .timeout_ns = limit,
          .pending = 1, .fds = 1, .stack = IN_PRICES);
    s->now += ms;
    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    a->status = 503;
}
static void cut_by_alarm(struct story *s, struct answer *a)
{
    held_for(s, a, 200, true, -1);
}
/* What ends these waits is their own, and ends no connect. */
static void cut_by_own_limit(struct story *s, struct answer *a)
{
    held_for(s, a, 200, true, 200 * STORY_MS);
}
/* Until the hang is over. */
static void stands_it_out(struct story *s, struct answer *a)
{
    held_for(s, a, (int)(FAULT_MS - s->now - 10), false, -1);
}

/* ---- a peer that only takes ---- */

static void counts_over_tcp(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = OTHER, .side = 1, .stack = IN_STOCK);
    story(s, request, "", .conn = conn, .peer = OTHER, .exchange = 1, .bytes = 20, .digest = 4,
          .stack = IN_STOCK);
    s->now += s->ids % 2 ? 0 : 3;
    story(s, close, "", .conn = conn, .peer = OTHER, .pending = 1, .stack = IN_STOCK);
}
static void counts_often(struct story *s, struct answer *a)
{
    for (int i = 0; i < 12; i++)
        counts_over_tcp(s, a);
}
static void counts_late(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    fault_at(s, MH_OP_connect, 0, MH_EFFECT_delay, OTHER, conn, 0);
    counts_over_tcp(s, a);
}
/* The same of a peer that does answer: it was given up. */
static void asks_and_leaves(struct story *s, struct answer *a)
{
    refuse(s, PRICES);
    for (int i = 0; i < 12; i++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = OTHER, .side = 1, .stack = IN_STOCK);
        story(s, request, "", .conn = conn, .peer = OTHER, .exchange = 1, .bytes = 20, .digest = 4,
              .stack = IN_STOCK);
        s->now += 3;
        story(s, close, "", .conn = conn, .peer = OTHER, .pending = 1, .stack = IN_STOCK);
    }
    a->status = 503;
}
static void well_other(struct story *s, struct answer *a)
{
    ask_as(s, OTHER, 0, 2, "");
}

/* ---- MH-1001: a thread that writes the records, and rests between two ---- */

static void told_by_slow_writer(struct story *s, struct answer *a)
{
    swallowed(s, a);
    s->tid = 900;
    story(s, sleep, "", .requested_ns = 20 * STORY_MS);
    s->now += 20;
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    s->tid = WORKER;
}

/* ---- MH-1001: one place tells of each of its failures, and another one tells nothing ---- */

static void told_elsewhere(struct story *s, unsigned before, unsigned after)
{
    while (before--)
        story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    caught(s, refuse(s, OTHER), IN_APP);
    while (after--)
        story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
}
static unsigned asked;

static void silent_here(struct story *s, struct answer *a)
{
    if (asked++ % 2)
        told_elsewhere(s, 0, 1);
    else
        swallowed(s, a);
}
/* Those of both, in the request that comes next. */
static void told_before(struct story *s, struct answer *a)
{
    if (asked++ % 2)
        told_elsewhere(s, 1, 1);
    else
        swallowed(s, a);
}
static void told_after(struct story *s, struct answer *a)
{
    if (asked++ % 2)
        told_elsewhere(s, 0, 2);
    else
        swallowed(s, a);
}

/* ---- MH-2003: streams of a loop, whose reads are nobody's ---- */

enum { LINE = 77 };
static int64_t line_number;

static void line_asks(struct story *s, struct answer *a)
{
    line_number++;
    a->task = 5000 + ++s->ids;
    story(s, request, "GET", .conn = LINE, .peer = STORE, .exchange = line_number, .bytes = 20,
          .digest = 100 + line_number, .stack = IN_CARTS, .task = a->task);
}
static void line_answers(struct story *s, int64_t number)
{
    story(s, response, "", .conn = LINE, .peer = STORE, .exchange = number, .latency_ns = STORY_MS,
          .retry_after_s = -1, .stack = IN_CARTS);
}
static void line_well(struct story *s, struct answer *a)
{
    line_asks(s, a);
    s->now += 1;
    line_answers(s, line_number);
}
static void line_given_up(struct story *s, struct answer *a)
{
    line_asks(s, a);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, STORE, LINE, a->task);
    *a = (struct answer){.status = 503, .ms = 60, .retry_after = -1, .task = a->task};
}
/* The first is given up; whoever comes next is answered with what is left of the one before. */
static void line_is_behind(struct story *s, struct answer *a)
{
    static int turn;

    if (turn++ % 4 == 0) {
        line_given_up(s, a);
        return;
    }
    s->now += 20;
    line_answers(s, line_number);
    line_asks(s, a);
}
/* The late answer is thrown away first. */
static void line_is_drained(struct story *s, struct answer *a)
{
    static int turn;

    if (turn++ % 4 == 0) {
        line_given_up(s, a);
        return;
    }
    if (turn % 4 == 2)
        line_answers(s, line_number);
    line_well(s, a);
}
/* Nobody ever waits for these answers. */
static void line_forgets(struct story *s, struct answer *a)
{
    s->now += 20;
    line_answers(s, line_number);
    line_asks(s, a);
}

static const struct play plays[] = {
    {"the next one reads it", "MH-2003", "fail", line_well, line_is_behind},
    {"drained before", "MH-2003", "not exercised", line_well, line_is_drained},
    {"nobody waits for answers", "MH-2003", "not exercised", line_forgets, line_is_behind},
    {"a loop for one request", "MH-2004", "unclear", well, blocks_alone, .hits = 5},
    {"a loop beside, for all", "MH-2004", "fail", well, blocks_beside, .hits = 5},
    {"cut by an alarm", "MH-0601", "pass", well, cut_by_alarm},
    {"its connects", "MH-0602", "unclear", well, cut_by_alarm},
    {"its connects, where waits have a limit", "MH-0602", "fail", well, cut_by_own_limit},
    {"not cut by anything", "MH-0601", "fail", well, stands_it_out, .hits = 1},
    {"a peer that only takes", "MH-0502", "not exercised", counts_often, counts_often},
    {"given up, over and over", "MH-0502", "fail", well_other, asks_and_leaves},
    {"connected late", "MH-1001", "not exercised", counts_over_tcp, counts_late},
    {"silent here, and told elsewhere", "MH-1001", "fail", well, silent_here},
    {"told in another's request", "MH-1001", "unclear", well, told_before},
    {"told after another's own failure", "MH-1001", "unclear", well, told_after},
    {"a writer that rests", "MH-1001", "pass", well, told_by_slow_writer},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

/* ---- MH-0606: a thread that cannot be had, for the loop that accepts ---- */

static const char *no_thread(int status)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    story(&s, op, "", .op = ++s.ids, .kind = MH_OP_thread, .call = MH_CALL_pthread_create,
          .result = -1, .err = EAGAIN, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .stack = IN_STOCK);
    if (!status)
        for (s.now = FAULT_MS; s.now < 20000; s.now += 500)
            unit(&s, well, 10);
    s.now += 20;
    story(&s, exit, "", .status = status);
    story_close(&s);
    s.pid = 99;
    story_open(&s, "z");
    story(&s, child, "python server.py", .pid = STORY_PID, .status = status,
          .ended_at = STORY_MONO + (s.now + 100) * STORY_MS);
    story_close(&s);
    return story_verdict(&s, "MH-0606");
}

static void threads(void **state)
{
    assert_string_equal(no_thread(1), "fail");
    assert_string_equal(no_thread(0), "pass");
}

/* ---- which redis is a broker? One that is only handed things ---- */

static void hands_over(struct story *s, struct answer *a)
{
    ask_as(s, STORE, 0, 1, "LPUSH");
}
static void keeps_a_list(struct story *s, struct answer *a)
{
    ask_as(s, STORE, 0, 1, "LPUSH");
    ask_as(s, STORE, 0, 1, s->ids % 2 ? "LRANGE" : "LTRIM");
}
static void tells_all(struct story *s, struct answer *a)
{
    ask_as(s, STORE, 0, 1, "PUBLISH");
}
static void hands_over_badly(struct story *s, struct answer *a)
{
    caught(s, refuse(s, STORE), IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}

static const struct play brokers[] = {
    {"only handed over", "MH-0802", "fail", hands_over, hands_over_badly},
    {"a list that is looked at", "MH-0802", "not applicable", keeps_a_list, hands_over_badly},
    {"told to whoever listens", "MH-0802", "not applicable", tells_all, hands_over_badly},
};

static void queues(void **state)
{
    plays_hold(brokers, ARRAY_SIZE(brokers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(greenlets),
        cmocka_unit_test(threads),
        cmocka_unit_test(queues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
