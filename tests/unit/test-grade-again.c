/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about what is asked for again: although the answer was final, although it may
 * have been done already; and what only looks like a try. */
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

/* ---- MH-0504: a 404 that is asked for again and again ---- */

static void asks_404(struct story *s, int times, int pause_ms, int spread_ms)
{
    for (int i = 0; i < times; i++) {
        int64_t pause = pause_ms + (spread_ms ? s->ids * 37 % spread_ms : 0);

        if (i) {
            story(s, sleep, "", .requested_ns = pause * STORY_MS, .stack = IN_PRICES);
            s->now += pause;
        }
        exchange(s, "GET /user/7", 5, 404, -1, false);
    }
}
static void in_step(struct story *s, struct answer *a)
{
    asks_404(s, 4, 100, 0);
    a->status = 404;
}
/* The same, and nobody waited for what would have come of it. */
static void in_step_cut(struct story *s, struct answer *a)
{
    asks_404(s, 4, 100, 0);
    a->status = 0;
    a->how = 1;
}
static void out_of_step(struct story *s, struct answer *a)
{
    asks_404(s, 4, 60, 90);
    a->status = 404;
}
/* Every 100 ms until it is there. */
static void waits_for_it(struct story *s, struct answer *a)
{
    asks_404(s, 4, 100, 0);
    story(s, sleep, "", .requested_ns = 100 * STORY_MS, .stack = IN_PRICES);
    s->now += 100;
    exchange(s, "GET /user/7", 5, 200, -1, false);
}
/* Four users of whom none exists: other questions, not the same again. */
static void asks_for_others(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++) {
        exchange(s, "GET /user/7", 5 + i, 404, -1, false);
        story(s, sleep, "", .requested_ns = 100 * STORY_MS, .stack = IN_PRICES);
        s->now += 100;
    }
}

/* ---- MH-0507: a file that may not be read ---- */

static void denied(struct story *s, int path, int err)
{
    char text[32];

    snprintf(text, sizeof(text), "/data/file-%d", path);
    story(s, path, text, .path = path);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_open, .call = MH_CALL_open64, .path = path,
          .result = -1, .err = err, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .stack = IN_PRICES);
    s->now += 100;
}
static void writes_one(struct story *s, struct answer *a)
{
    story(s, path, "/data/log", .path = 9);
    story(s, file, "", .path = 9, .fd = 9, .flags = 1, .stack = IN_STOCK);
}
static void opens_thrice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        denied(s, 1, EACCES);
    a->status = 503;
}
static void opens_once(struct story *s, struct answer *a)
{
    denied(s, 1, EACCES);
    a->status = 503;
}
static void opens_three(struct story *s, struct answer *a)
{
    for (int i = 1; i <= 3; i++)
        denied(s, i, EACCES);
    a->status = 503;
}
static void has_no_descriptor(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        denied(s, 1, EMFILE); /* which may change */
    a->status = 503;
}

/* ---- MH-0508: the first on a connection that was there, the second on a new one ---- */

enum { IN_CONNECT = 81 };

static void posts_pooled(struct story *s, int status)
{
    story(s, request, "POST /pay", .conn = 77, .peer = PRICES, .exchange = ++s->ids, .digest = 8,
          .stack = IN_PRICES);
    s->now += 2;
    if (status == LOST)
        fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, 77, 0);
    else
        story(s, response, "", .conn = 77, .peer = PRICES, .exchange = s->ids, .status = status,
              .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES);
}
static void posts_on_one(struct story *s, struct answer *a)
{
    posts_pooled(s, 200);
}
static void posts_on_two(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, stack,
          "create_connection\t/usr/lib/python3.11/socket.py\t831\n"
          "HTTPAdapter.send\t/usr/lib/python3/dist-packages/requests/adapters.py\t486\n"
          "quote\t/srv/shop/prices.py\t12\nproduct\t/srv/shop/api.py\t58",
          .stack = IN_CONNECT, .frames = 4);
    posts_pooled(s, LOST);
    s->now += 100;
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_CONNECT);
    story(s, request, "POST /pay", .conn = conn, .peer = PRICES, .exchange = 1, .digest = 8,
          .stack = IN_PRICES);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES);
}

/* ... and no second one, as nobody took the connection, or the tries were used up: what the
 * application would have sent is not known */
static void lost_then_refused(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, false);
    s->now += 100;
    refuse(s, PRICES);
    a->status = 503;
}
static void refused_then_lost(struct story *s, struct answer *a)
{
    refuse(s, PRICES);
    s->now += 100;
    exchange(s, "POST /pay", 8, LOST, -1, false);
    a->status = 503;
}

/* A caller's answer is lost, which the loop reads for nobody, while another one posts the same.
 * What runs next is that other one's task, and no exception tells whose the failure was. */
static void posts_beside(struct story *s, struct answer *a)
{
    int64_t other = ++s->ids, task = ++s->ids, conn = ++s->ids, op;

    a->task = ++s->ids;
    story(s, request, "POST /pay", .conn = 77, .peer = PRICES, .exchange = ++s->ids, .digest = 8,
          .stack = IN_PRICES, .task = a->task);
    s->now += 2;
    story(s, unit_begin, "GET /product/7", .unit = other, .conn = other);
    story(s, request, "POST /pay", .conn = conn, .peer = PRICES, .exchange = 1, .digest = 8,
          .stack = IN_PRICES, .task = task);
    op = fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, 77, 0);
    story(s, outcome, "", .op = op, .step = MH_STEP_unseen, .task = task,
          .source = MH_SOURCE_trace);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_PRICES, .task = task);
    story(s, unit_end, "GET /product/7", .unit = other, .conn = other, .status = 200, .task = task,
          .latency_ns = 2 * STORY_MS, .digest = 77, .retry_after_s = -1);
    a->status = 503;
}

/* ---- MH-0502: connections of a pool are closed, each with a last word ---- */

static void closes_four(struct story *s, int patience_ms)
{
    refuse(s, OTHER); /* or all of it would be calm */
    for (int i = 0; i < 4; i++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
        story(s, request, "", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    }
    for (int i = 3; i >= 0; i--) {
        story(s, request, "", .conn = s->ids - i, .peer = PRICES, .exchange = 2, .bytes = 5,
              .stack = IN_PRICES);
        s->now += patience_ms;
        story(s, close, "", .conn = s->ids - i, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    }
}
static void says_goodbye(struct story *s, struct answer *a)
{
    closes_four(s, 0);
}
static void gives_up_four(struct story *s, struct answer *a)
{
    closes_four(s, 20);
}

/* ---- MH-0503: a few tries in vain, and then a connection that a pool still had ---- */

static void gets_through(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    tries(s, 5, 100);
    s->now += 100;
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_STOCK);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_STOCK);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .stack = IN_STOCK);
}
static void ends_there(struct story *s, struct answer *a)
{
    tries(s, 5, 100);
    a->status = 503;
}

static const struct play plays[] = {
    {"on a connection that was there, then on a new one", "MH-0508", "fail", posts_on_one,
     posts_on_two, .hits = 5},
    {"lost, and refused when tried again", "MH-0508", "not exercised", posts, lost_then_refused},
    {"refused, and lost at the last try", "MH-0508", "not exercised", posts, refused_then_lost},
    {"lost, and not tried again", "MH-0508", "pass", posts, posts_once},
    {"another one posts the same", "MH-0508", "pass", posts_on_one, posts_beside, .hits = 5},
    {"four last words", "MH-0502", "pass", well, says_goodbye, .hits = 5},
    {"four answers not waited for", "MH-0502", "fail", well, gives_up_four, .hits = 5},
    {"through at last, from elsewhere", "MH-0503", "not exercised", well, gets_through, .hits = 3},
    {"five tries and an end", "MH-0503", "pass", well, ends_there, .hits = 3},
    {"404, and again after 100 ms", "MH-0504", "fail", well, in_step, .hits = 5},
    {"404, and again at any time", "MH-0504", "pass", well, out_of_step, .hits = 5},
    {"until it is there", "MH-0504", "not exercised", well, waits_for_it, .hits = 5},
    {"others that are not there", "MH-0504", "not exercised", well, asks_for_others, .hits = 5},
    {"404, and again after 100 ms: not a peer in trouble", "MH-0505", "not exercised", well,
     in_step, .hits = 5},
    {"404, and again", "MH-0507", "fail", well, in_step, .hits = 5},
    {"404, and again until it was cut", "MH-0507", "not exercised", well, in_step_cut, .hits = 5},
    {"denied, and tried again", "MH-0507", "fail", writes_one, opens_thrice, .hits = 5},
    {"denied once", "MH-0507", "pass", writes_one, opens_once, .hits = 5},
    {"three files, each denied", "MH-0507", "pass", writes_one, opens_three, .hits = 5},
    {"no descriptors", "MH-0507", "not exercised", writes_one, has_no_descriptor, .hits = 5},
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
