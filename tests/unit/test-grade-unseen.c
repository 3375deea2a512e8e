/* SPDX-License-Identifier: Apache-2.0 */
/* What applications that nobody had graded before showed: a pool that keeps what it opened, a run
 * that is stopped, a connect in a task of its own, requests that stand in line. */
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

/* ---- MH-0101: a 500 that the application itself decided on ---- */

static void says_what_failed(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    *a = (struct answer){.status = 500, .ms = 3, .nkeys = 1, .digest = 5, .retry_after = -1};
}
static void last_resort(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .nkeys = 1, .digest = 5, .retry_after = -1};
}

/* ---- MH-0103: an empty list, as if nobody had anything to recommend ---- */

static void full_list(struct story *s, struct answer *a)
{
    well(s, a);
    a->bytes = 200;
}
static void empty_list(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    *a = (struct answer){.status = 200, .ms = 3, .digest = 99, .bytes = 3, .retry_after = -1};
}
static void shorter_list(struct story *s, struct answer *a)
{
    empty_list(s, a);
    a->bytes = 90;
}

/* ---- MH-2005: this host's own name, which took its time ---- */

static void looks_up_slowly(struct story *s, struct answer *a)
{
    a->task = ++s->ids;
    s->now += 150;
    story(s, dns, "localhost", .wait_ns = 150 * STORY_MS, .stack = IN_PRICES, .task = a->task);
    ask_at(s, PRICES, a->task, 2);
}
static void looks_up_quickly(struct story *s, struct answer *a)
{
    a->task = ++s->ids;
    story(s, dns, "localhost", .wait_ns = STORY_MS, .stack = IN_PRICES, .task = a->task);
    ask_at(s, PRICES, a->task, 2);
}

/* ---- MH-0508: a library connects in a task of its own, who sends is the application ---- */

enum { IN_HELPER = 80 };

static void posts_pooled(struct story *s, struct answer *a)
{
    a->task = 5000 + ++s->ids;
    story(s, request, "POST /pay", .conn = 77, .peer = PRICES, .exchange = s->ids, .digest = 8,
          .stack = IN_PRICES, .task = a->task);
    s->now += 2;
    story(s, response, "", .conn = 77, .peer = PRICES, .exchange = s->ids, .status = 200,
          .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES, .task = a->task);
}
static void posts_by_helper(struct story *s, struct answer *a)
{
    a->task = 5000 + ++s->ids;
    story(s, stack, "try_connect\t/usr/lib/python3/dist-packages/anyio/_core/_sockets.py\t199",
          .stack = IN_HELPER, .frames = 1);
    for (int i = 0; i < 2; i++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .nonblocking = 1,
              .err = EINPROGRESS, .stack = IN_HELPER, .task = 9000 + conn);
        story(s, request, "POST /pay", .conn = conn, .peer = PRICES, .exchange = 1, .digest = 8,
              .stack = IN_PRICES, .task = a->task);
        s->now += 2;
        fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, conn, a->task);
    }
    a->status = 503;
}

/* ---- MH-0603: a limit that only the loop knows ---- */

static void ends_after(struct story *s, struct answer *a, int ms)
{
    int64_t conn = ++s->ids;

    a->task = ++s->ids;
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
          .task = a->task);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES,
          .task = a->task);
    s->now += ms;
    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES,
          .task = a->task); /* answered without it */
}
static void some_end_alike(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++)
        well_task(s, a);
    ends_after(s, a, 60);
}
static void some_end_anyhow(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++)
        well_task(s, a);
    ends_after(s, a, 5 + (int)(s->now % 60));
}

/* ---- MH-0102: told in other words, which the framework takes for an answer ---- */

static void translates(struct story *s, struct answer *a, const char *by)
{
    int64_t op = refuse(s, PRICES);
    char text[200];

    snprintf(text, sizeof(text), "HTTPServiceUnavailable\t%s", by);
    story(s, outcome, "ClientConnectorError\tconnect\t/usr/lib/python3.11/socket.py\t831", .op = op,
          .step = MH_STEP_born, .object = op, .source = MH_SOURCE_trace);
    story(s, outcome, text, .op = op, .step = MH_STEP_replaced, .object = op + 1,
          .source = MH_SOURCE_trace);
    story(s, outcome, "HTTPServiceUnavailable\t" IN_FRAMEWORK, .op = op, .step = MH_STEP_handled,
          .object = op + 1, .source = MH_SOURCE_trace);
    *a = (struct answer){.status = 503, .ms = 3, .digest = 9, .nkeys = 1, .retry_after = 5};
}
static void app_translates(struct story *s, struct answer *a)
{
    translates(s, a, IN_APP);
}
static void library_translates(struct story *s, struct answer *a)
{
    translates(s, a, IN_LIBRARY);
}

static const struct play plays[] = {
    {"told in other words", "MH-0102", "pass", well, app_translates},
    {"a library's words", "MH-0102", "not exercised", well, library_translates},
    {"an empty list and not a word", "MH-0103", "fail", full_list, empty_list},
    {"a shorter list", "MH-0103", "pass", full_list, shorter_list},
    {"a 500 of its own making", "MH-0101", "pass", well, says_what_failed},
    {"a 500 of the framework's", "MH-0101", "fail", well, last_resort},
    {"localhost, for 150 ms", "MH-2005", "fail", looks_up_slowly, looks_up_slowly},
    {"localhost, at once", "MH-2005", "not exercised", looks_up_quickly, looks_up_quickly},
    {"connected by a helper", "MH-0508", "fail", posts_pooled, posts_by_helper},
    {"one length of unanswered calls", "MH-0603", "fail", some_end_alike, some_end_alike},
    {"any length of them", "MH-0603", "pass", some_end_anyhow, some_end_anyhow},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

/* ---- MH-0607: 30 requests in flight at once, each of which leaves a descriptor ---- */

static const char *left_open(bool at_once)
{
    struct story s = {0};
    int64_t ids[30];

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        ids[i] = ++s.ids;
        s.tid = 300 + (uint32_t)i;
        story(&s, unit_begin, "GET /product/7", .unit = ids[i], .conn = ids[i]);
        story(&s, op, "", .op = ++s.ids, .kind = MH_OP_connect, .result = -1, .err = ECONNREFUSED,
              .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1, .peer = PRICES, .side = 1,
              .stack = IN_PRICES, .unit = ids[i]);
        s.now += 10;
        if (!at_once)
            story(&s, unit_end, "GET /product/7", .unit = ids[i], .conn = ids[i], .status = 503,
                  .latency_ns = 10 * STORY_MS, .fds = 11 + (int64_t)i, .retry_after_s = -1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ids) && at_once; i++) {
        s.tid = 300 + (uint32_t)i;
        s.now += 10;
        story(&s, unit_end, "GET /product/7", .unit = ids[i], .conn = ids[i], .status = 503,
              .latency_ns = 300 * STORY_MS, .fds = 11 + (int64_t)i, .retry_after_s = -1);
    }
    s.tid = WORKER;
    for (s.now = FAULT_MS; s.now < 20000; s.now += 100)
        unit(&s, well, 40);
    story_close(&s);
    return story_verdict(&s, "MH-0607");
}

static void pools(void **state)
{
    assert_string_equal(left_open(false), "fail");
    assert_string_equal(left_open(true), "unclear");
}

/* ---- MH-0606: an accept() that is refused and called again at once ---- */

static const char *refused(int times)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int i = 0; i < times; i++)
        story(&s, op, "", .op = ++s.ids, .kind = MH_OP_accept, .result = -1, .err = EMFILE,
              .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1, .side = 2,
              .stack = IN_STOCK);
    for (s.now = FAULT_MS; s.now < 20000; s.now += 500)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-0606");
}

static void doors(void **state)
{
    assert_string_equal(refused(1500), "fail");
    assert_string_equal(refused(12), "pass");
}

/* ---- MH-0402: taken in at once, and looked at when a thread was free ---- */

static const char *in_line(int stood_ms)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++) {
        story(&s, connect, "", .conn = s.ids + 1, .side = 2);
        unit_of(&s, i % 2 ? "GET /about" : "GET /product/7", i % 2 ? NULL : well, 10);
    }
    s.now = CALM_MS;
    unit(&s, decided, 10);
    for (int i = 0; i < 12; i++) {
        story(&s, connect, "", .conn = s.ids + 1, .side = 2);
        s.now += stood_ms;
        unit_of(&s, "GET /about", NULL, 10);
    }
    for (s.now = FAULT_MS + 12000; s.now < 30000; s.now += 500)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-0402");
}

static void lines(void **state)
{
    assert_string_equal(in_line(0), "pass");
    assert_string_equal(in_line(400), "fail");
}

/* ---- a command that is stopped, and says so with a bad status ---- */

static const char *stopped(bool told)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    for (int i = 0; i < 8; i++)
        ask_at(&s, PRICES, 0, 2);
    s.now = CALM_MS;
    for (int i = 0; i < 3; i++) {
        refuse(&s, PRICES);
        s.now += 1000;
    }
    ask_at(&s, PRICES, 0, 2);
    s.now = 9000;
    story(&s, exit, "", .status = 1);
    story_close(&s);
    s.pid = 99;
    story_open(&s, "z");
    if (told)
        story(&s, stop, "", .signal = 2, .sent_at = STORY_MONO + 8900 * STORY_MS);
    story(&s, child, "python job.py", .pid = STORY_PID, .stopped = told, .status = 1,
          .ended_at = STORY_MONO + 9000 * STORY_MS);
    story_close(&s);
    return story_verdict(&s, "MH-0101");
}

/* A worker whose disk is full once; it writes again, or not, until it is told to end. */
static const char *keeps(bool again)
{
    struct story s = {0};
    int64_t op;

    story_open(&s, "a");
    prologue(&s);
    story(&s, path, "/data/place.json", .path = 1);
    for (int i = 0; i < 6; i++) {
        s.now += 500;
        if (i > 3 && !again)
            continue;
        story(&s, file, "", .path = 1, .fd = 9, .flags = 02101, .stack = IN_STOCK);
        if (i != 3)
            continue;
        op = ++s.ids;
        story(&s, op, "", .op = op, .kind = MH_OP_write, .call = MH_CALL_write, .fd = 9, .path = 1,
              .asked = 100, .result = -1, .err = ENOSPC, .wait_ns = -1, .fault = 1,
              .effect = MH_EFFECT_error + 1, .ordinal = op, .stack = IN_STOCK);
        caught(&s, op, "stock\t/srv/shop/stock.py\t12");
        story(&s, log, "OSError", .level = MH_LEVEL_warning, .sink = 2);
    }
    s.now = 9000;
    story(&s, exit, "", .status = 1);
    story_close(&s);
    s.pid = 99;
    story_open(&s, "z");
    story(&s, stop, "", .signal = 2, .sent_at = STORY_MONO + 8900 * STORY_MS);
    story(&s, child, "python job.py", .pid = STORY_PID, .stopped = 1, .status = 1,
          .ended_at = STORY_MONO + 9000 * STORY_MS);
    story_close(&s);
    return story_verdict(&s, "MH-0101");
}

/* A write fails, and the command raises SystemExit in its place, having said why or not. */
static const char *exits(bool says)
{
    struct story s = {0};
    int64_t op;

    story_open(&s, "a");
    prologue(&s);
    for (int i = 0; i < 8; i++)
        ask_at(&s, PRICES, 0, 2);
    s.now = CALM_MS;
    op = refuse(&s, PRICES);
    story(&s, outcome, "OSError\tquote\t/srv/shop/prices.py\t12", .op = op, .step = MH_STEP_born,
          .object = op, .source = MH_SOURCE_trace);
    if (says)
        story(&s, log, "OSError", .level = MH_LEVEL_none, .sink = 2);
    story(&s, outcome, "SystemExit\t<module>\t/srv/shop/job.py\t27", .op = op,
          .step = MH_STEP_replaced, .object = op + 1, .source = MH_SOURCE_trace);
    story(&s, outcome, "SystemExit\t<module>\t/srv/shop/job.py\t27", .op = op,
          .step = MH_STEP_unhandled, .object = op + 1, .source = MH_SOURCE_trace);
    s.now += 20;
    story(&s, exit, "", .status = 1);
    story_close(&s);
    s.pid = 99;
    story_open(&s, "z");
    story(&s, child, "python job.py", .pid = STORY_PID, .status = 1,
          .ended_at = STORY_MONO + s.now * STORY_MS);
    story_close(&s);
    return story_verdict(&s, "MH-0101");
}

static void commands(void **state)
{
    assert_string_equal(exits(true), "pass");
    assert_string_equal(exits(false), "fail");
    assert_string_equal(stopped(false), "fail");
    assert_string_equal(stopped(true), "pass");
    assert_string_equal(keeps(true), "pass");
    assert_string_equal(keeps(false), "not exercised");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules), cmocka_unit_test(pools),    cmocka_unit_test(doors),
        cmocka_unit_test(lines), cmocka_unit_test(commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
