/* SPDX-License-Identifier: Apache-2.0 */
/* What the grader makes of things that look like what they are not: questions side by side, the
 * next item of a job, limits of the kernel's, errors outside of any request. */
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

/* ---- MH-0601: a wait without a limit, on a descriptor with TCP_USER_TIMEOUT ---- */

static void user_limit(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll, .timeout_ns = -1,
          .pending = 1, .fds = 1, .stack = IN_PRICES, .user_timeout_ns = 2000 * STORY_MS);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES);
}

/* ---- MH-0502: four connections begun before the first of them failed ---- */

static void side_by_side(struct story *s, struct answer *a)
{
    int64_t conns[4];

    for (size_t i = 0; i < ARRAY_SIZE(conns); i++) {
        conns[i] = ++s->ids;
        story(s, connect, "", .conn = conns[i], .peer = PRICES, .side = 1, .stack = IN_PRICES);
        story(s, request, "GET /json", .conn = conns[i], .peer = PRICES, .exchange = 1, .bytes = 20,
              .digest = 9, .stack = IN_PRICES);
        s->now += 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(conns); i++)
        fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, conns[i], 0);
    a->status = 503;
}
static void one_by_one(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
        story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .bytes = 20,
              .digest = 9, .stack = IN_PRICES);
        fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, conn, 0);
        s->now += 1;
    }
    a->status = 503;
}

/* ---- MH-0509: the second try goes through the connection that the first one opened ---- */

static void hurries_pooled(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, stack,
          "send\t/usr/lib/python3.11/http/client.py\t9\nquote\t/srv/shop/prices.py\t12\n"
          "product\t/srv/shop/api.py\t58",
          .stack = 70, .frames = 3);
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    for (int i = 1; i <= 2; i++) {
        story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = i, .bytes = 20,
              .digest = 9, .stack = 70);
        s->now += 2;
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = i,
              .status = i == 1 ? 503 : 200, .latency_ns = 2 * STORY_MS,
              .retry_after_s = i == 1 ? 5 : -1, .stack = 70);
        s->now += 100;
    }
}

/* ---- MH-0502: a transaction is five questions on one connection ---- */

static void transacts(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    for (int i = 1; i <= 5; i++) {
        story(s, request, "", .conn = conn, .peer = PRICES, .exchange = i, .stack = IN_PRICES);
        s->now++;
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = i, .stack = IN_PRICES);
    }
}
static void connects_five_times(struct story *s, struct answer *a)
{
    for (int i = 0; i < 5; i++)
        refuse(s, PRICES);
    a->status = 503;
}
/* each of the five is asked in a connection of its own, and none again */
static void asks_five(struct story *s, struct answer *a)
{
    for (int i = 0; i < 5; i++)
        ask_at(s, PRICES, 0, 1);
}

static const struct play plays[] = {
    {"five connects in place of one", "MH-0502", "fail", transacts, connects_five_times},
    {"five connects, as always", "MH-0502", "pass", asks_five, connects_five_times},
    {"TCP_USER_TIMEOUT alone", "MH-0601", "unclear", user_limit, user_limit},
    {"four at once", "MH-0502", "pass", well, side_by_side},
    {"four, one after the other", "MH-0502", "fail", well, one_by_one},
    {"again on the same connection", "MH-0509", "fail", well, hurries_pooled},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

/* ---- a job without a server: one item each 100 ms, and then the peer is down ---- */

static const char *job(int pause_ms, const char *rule)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = STORY_LOOP;
    for (int i = 0; i < 25; i++) {
        ask_at(&s, PRICES, 0, 2);
        s.now += 98;
    }
    for (s.now = CALM_MS; s.now < FAULT_MS - pause_ms; s.now += pause_ms)
        refuse(&s, PRICES);
    s.now = FAULT_MS + 1000;
    ask_at(&s, PRICES, 0, 2);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, rule);
}

static void jobs(void **state)
{
    assert_string_equal(job(100, "MH-0502"), "not exercised"); /* the next item */
    assert_string_equal(job(5, "MH-0502"), "fail");            /* the same one, over and over */
    assert_string_equal(job(5, "MH-0503"), "fail");
}

/* ---- MH-0104, MH-0606: a process that ends after an error outside of any request ---- */

static const char *outside(enum mh_op_kind kind, int err, int status, const char *rule)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    s.tid = 950;
    if (kind == MH_OP_accept)
        story(&s, op, "", .op = 1, .kind = kind, .result = -1, .err = err, .wait_ns = -1,
              .fault = 1, .effect = MH_EFFECT_error + 1, .side = 2, .stack = IN_STOCK);
    else
        refuse(&s, OTHER);
    s.now += 500;
    if (!status)
        for (s.tid = WORKER; s.now < 20000; s.now += 500)
            unit(&s, well, 10);
    story(&s, exit, "", .status = status);
    story_close(&s);
    story_open(&s, "b");
    for (s.now = 8000; s.now < 20000; s.now += 1000)
        story(&s, sleep, "", .requested_ns = STORY_MS);
    story_close(&s);
    return story_verdict(&s, rule);
}

static void ends(void **state)
{
    assert_string_equal(outside(MH_OP_connect, ECONNREFUSED, 1, "MH-0104"), "fail");
    assert_string_equal(outside(MH_OP_connect, ECONNREFUSED, 0, "MH-0104"), "pass");
    assert_string_equal(outside(MH_OP_connect, ECONNREFUSED, 1, "MH-0606"), "not exercised");
    assert_string_equal(outside(MH_OP_accept, EMFILE, 1, "MH-0606"), "fail");
    assert_string_equal(outside(MH_OP_accept, EMFILE, 0, "MH-0606"), "pass");
    assert_string_equal(outside(MH_OP_accept, EMFILE, 1, "MH-0104"), "not exercised");
}

/* Two workers that end alike at one place are one finding. */
static void workers(void **state)
{
    struct story s = {0};
    json_t *document;
    const json_t *f;
    size_t i, n = 0;

    for (int k = 0; k < 3; k++) {
        s.pid = STORY_PID + k;
        story_open(&s, k == 0 ? "a" : k == 1 ? "b" : "c");
        prologue(&s);
        s.tid = WORKER;
        for (int c = 0; c < CALM; c++)
            unit(&s, well, 10);
        s.now = CALM_MS;
        if (k < 2)
            story(&s, op, "", .op = 1, .kind = MH_OP_accept, .result = -1, .err = EMFILE,
                  .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1, .side = 2,
                  .stack = IN_STOCK);
        else
            for (; s.now < 20000; s.now += 500)
                unit(&s, well, 10);
        story(&s, exit, "", .status = k < 2);
        story_close(&s);
    }
    document = grade_story(&s);
    json_array_foreach(json_object_get(document, "findings"), i, f)
    {
        if (strcmp(json_string_value(json_object_get(f, "rule")), "MH-0606"))
            continue;
        assert_int_equal(
            json_integer_value(json_object_get(json_object_get(f, "trials"), "failed")), 2);
        n++;
    }
    assert_int_equal(n, 1);
    json_decref(document);
    story_remove(&s);
}

/* ---- MH-0103: of two requests in flight one met a failure, in a thread of nobody's ---- */

static const char *swallowed_beside(bool alone)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int64_t id = alone ? 2 : 1; id <= 2; id++)
        story(&s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
    s.tid = 300;
    s.now += 10;
    caught(&s, refuse(&s, PRICES), IN_APP);
    s.tid = WORKER;
    s.now += 100;
    for (int64_t id = alone ? 2 : 1; id <= 2; id++)
        story(&s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 200,
              .latency_ns = 110 * STORY_MS, .bytes = 20, .digest = 77, .keys = 5, .nkeys = 2,
              .retry_after_s = -1, .begun_at = STORY_MONO + (s.now - 110) * STORY_MS);
    for (s.now = FAULT_MS; s.now < 20000; s.now += 400)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-0103");
}

static void whose(void **state)
{
    assert_string_equal(swallowed_beside(true), "fail");
    assert_string_equal(swallowed_beside(false), "unclear");
}

/* ---- MH-0601: the wait that is told is one of those without a limit ---- */

static void waits_by(struct story *s, int call, int64_t limit)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = call, .timeout_ns = limit,
          .pending = 1, .fds = 1, .stack = IN_PRICES);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES);
}
static void waits_limited(struct story *s, struct answer *a)
{
    waits_by(s, MH_CALL_poll, 2000 * STORY_MS);
}
static void waits_for_ever(struct story *s, struct answer *a)
{
    waits_by(s, MH_CALL_recv, -1);
}

static void example(void **state)
{
    const struct play play = {"", "MH-0601", "", waits_limited, waits_for_ever, waits_for_ever};
    json_t *document = perform(&play);
    const json_t *said = json_object_get(finding(document, "MH-0601"), "evidence");

    assert_non_null(strstr(json_string_value(json_array_get(said, 0)), "recv() on a blocking"));
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),   cmocka_unit_test(jobs),  cmocka_unit_test(ends),
        cmocka_unit_test(workers), cmocka_unit_test(whose), cmocka_unit_test(example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
