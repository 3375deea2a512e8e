/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about work that is handed over: writes that wait, brokers that are gone,
 * tasks that are killed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "play.h"
#include "story.h"

#include "base/banned.h"

enum { BROKER = 6, CHARGE = 42 };

static const char *judged(struct story *s, const char *rule)
{
    static char got[64];
    json_t *document = grade_story(s);
    const json_t *f = finding(document, rule);

    snprintf(got, sizeof(got), "%s %s", verdict(document, rule),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(s);
    return got;
}

/* ---- MH-0804, 0805, 0806 ---- */

/* A run of the task with this id: a POST, and then its process is killed, or not. */
static void run(struct story *s, const char *id, bool killed, int status, bool keyed, int digest)
{
    int64_t unit = ++s->ids, conn = ++s->ids;
    char text[60];

    snprintf(text, sizeof(text), "celery\nshop.charge\n%s", id);
    story(s, task_begin, text, .unit = unit, .exact = 1, .stack = IN_PRICES);
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
          .unit = unit);
    story(s, request, "POST /charge", .conn = conn, .peer = PRICES, .exchange = 1,
          .stack = IN_PRICES, .unit = unit, .digest = digest, .idempotency_key = keyed,
          .bytes = 120);
    s->now += 5;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = status,
          .latency_ns = 5 * STORY_MS, .stack = IN_PRICES, .retry_after_s = -1);
    if (killed) {
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_connect, .call = MH_CALL_connect,
              .conn = ++s->ids, .peer = PRICES, .wait_ns = -1, .fault = 1,
              .effect = MH_EFFECT_kill + 1, .stack = IN_PRICES, .side = 1, .unit = unit,
              .ordinal = s->ids);
        return;
    }
    story(s, task_end, "", .unit = unit, .state = 1);
    s->now += 100;
}

struct tasks {
    int kills, watch_s;
    bool again, keyed;
    int status; /* of the POST */
};

static const char *tasks(const struct tasks *t, const char *rule)
{
    struct story s = {0};
    char id[20];

    for (int i = 0; i < t->kills; i++) {
        char name[4] = {'k', (char)('a' + i), 0};

        story_open(&s, name);
        prologue(&s);
        s.tid = WORKER;
        for (int k = 0; k < 3; k++) {
            snprintf(id, sizeof(id), "calm-%d-%d", i, k);
            run(&s, id, false, 200, t->keyed, k + 1);
        }
        s.now = CALM_MS + i * 500;
        run(&s, "id-1", true, t->status, t->keyed, CHARGE);
        story_close(&s);
    }
    story_open(&s, "sibling");
    prologue(&s);
    s.tid = WORKER;
    s.now = FAULT_MS;
    if (t->again)
        run(&s, "id-1", false, 200, t->keyed, CHARGE);
    for (int i = 0; s.now < FAULT_MS + t->watch_s * 1000; i++, s.now += 1000) {
        snprintf(id, sizeof(id), "later-%d", i);
        run(&s, id, false, 200, t->keyed, i + 100);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return judged(&s, rule);
}

static void killed(void **state)
{
    static const struct tasks lost = {.kills = 1, .watch_s = 40, .status = 200};
    static const struct tasks again = {.kills = 1, .watch_s = 40, .status = 200, .again = true};
    static const struct tasks keyed = {
        .kills = 1, .watch_s = 40, .status = 200, .again = true, .keyed = true};
    static const struct tasks refused = {.kills = 1, .watch_s = 40, .status = 503, .again = true};
    static const struct tasks too_short = {.kills = 1, .watch_s = 10, .status = 200};
    static const struct tasks gone = {.kills = 1, .status = 200}; /* the whole worker */
    static const struct tasks poison = {.kills = 6, .watch_s = 40, .status = 200, .keyed = true};
    static const struct tasks none = {.watch_s = 40, .status = 200};

    assert_string_equal(tasks(&lost, "MH-0804"), "fail High");
    assert_string_equal(tasks(&again, "MH-0804"), "pass ");
    assert_string_equal(tasks(&too_short, "MH-0804"), "unclear ");
    assert_string_equal(tasks(&gone, "MH-0804"), "unclear ");
    assert_string_equal(tasks(&none, "MH-0804"), "not exercised ");
    assert_string_equal(tasks(&again, "MH-0805"), "fail High");
    assert_string_equal(tasks(&keyed, "MH-0805"), "pass ");
    assert_string_equal(tasks(&refused, "MH-0805"), "pass ");
    assert_string_equal(tasks(&lost, "MH-0805"), "not exercised ");
    assert_string_equal(tasks(&poison, "MH-0806"), "fail High");
    assert_string_equal(tasks(&again, "MH-0806"), "not exercised ");
}

static json_int_t count_of(const json_t *outcomes, const char *word)
{
    return json_integer_value(json_object_get(json_object_get(outcomes, word), "count"));
}

/* A pool process that has nothing more to do says no more than one that is gone: its last task was
 * retried, and the worker goes on. */
static void lived(void **state)
{
    struct story s = {.cut = true};
    json_t *document;
    const json_t *outcomes;

    story_open(&s, "pool");
    prologue(&s);
    s.tid = WORKER;
    run(&s, "calm", false, 200, true, 1);
    s.now = FAULT_MS - 100;
    story(&s, task_begin, "celery\nshop.charge\nid-1", .unit = 900, .exact = 1, .stack = IN_PRICES);
    story(&s, op, "", .op = ++s.ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .peer = PRICES,
          .result = -1, .err = ECONNRESET, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .stack = IN_PRICES, .side = 1, .unit = 900);
    story(&s, task_end, "Retry", .unit = 900, .state = 3);
    story_close(&s);
    story_open(&s, "worker");
    for (s.now = 0; s.now < RECOVERED_MS; s.now += 1000)
        story(&s, log, "", .level = MH_LEVEL_warning, .sink = 2);
    story_close(&s);
    document = grade_story(&s);
    outcomes = json_object_get(document, "outcomes");
    assert_int_equal(count_of(outcomes, "collapsed"), 0);
    assert_int_equal(count_of(outcomes, "absorbed"), 1);
    json_decref(document);
    story_remove(&s);
}

/* ---- MH-0801, MH-0802 ---- */

static int share; /* of the delay that reaches the caller, in percent */

static void hand_over(struct story *s)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = BROKER, .side = 1, .stack = IN_STOCK);
    story(s, request, "LPUSH", .conn = conn, .peer = BROKER, .exchange = 1, .stack = IN_STOCK);
    s->now++;
    story(s, response, "", .conn = conn, .peer = BROKER, .exchange = 1, .latency_ns = STORY_MS,
          .stack = IN_STOCK);
}
static void takes(struct story *s, struct answer *a)
{
    ask_at(s, PRICES, 0, 2);
    hand_over(s);
    a->status = 202;
}
static void waits(struct story *s, struct answer *a)
{
    static int turn;
    int delay = 50 + turn++ % 5 * 100;
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .conn = conn,
          .peer = PRICES, .result = 1, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_delay + 1,
          .delay_ns = delay * STORY_MS, .stack = IN_PRICES, .side = 1, .ordinal = turn);
    hand_over(s);
    *a = (struct answer){.status = 202, .ms = 5 + delay * share / 100, .retry_after = -1};
}
static void no_broker(struct story *s, int status, int ms, struct answer *a)
{
    int64_t conn = ++s->ids, op = ++s->ids;

    story(s, op, "", .op = op, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = conn,
          .peer = BROKER, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .ordinal = s->ids, .stack = IN_STOCK, .side = 1);
    story(s, connect, "", .conn = conn, .peer = BROKER, .side = 1, .err = ECONNREFUSED,
          .stack = IN_STOCK);
    caught(s, op, status == 500 ? IN_FRAMEWORK : IN_APP);
    *a = (struct answer){.status = status, .ms = ms, .retry_after = -1};
}
static void falls(struct story *s, struct answer *a)
{
    no_broker(s, 500, 5, a);
}
static void hangs(struct story *s, struct answer *a)
{
    no_broker(s, 202, 1500, a);
}
static void says_no(struct story *s, struct answer *a)
{
    no_broker(s, 503, 5, a);
}
static void writes_aside(struct story *s, struct answer *a)
{
    no_broker(s, 202, 5, a);
    a->digest = 77;
    a->nkeys = 2;
}

static const char *producer(behave *hit, int hits, const char *rule)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    story(&s, peer, "broker\n10.0.0.7", .peer = BROKER, .family = 2, .port = 5672, .side = 1);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit_of(&s, "POST /order", takes, 10);
    s.now = CALM_MS;
    for (int i = 0; i < hits; i++)
        unit_of(&s, "POST /order", hit, 10);
    for (s.now = MH_MAX(s.now, FAULT_MS); s.now < RECOVERED_MS; s.now += 400)
        unit_of(&s, "POST /order", takes, 10);
    story_close(&s);
    return judged(&s, rule);
}

static void producers(void **state)
{
    share = 100;
    assert_string_equal(producer(waits, 12, "MH-0801"), "fail Medium");
    share = 5;
    assert_string_equal(producer(waits, 12, "MH-0801"), "pass ");
    share = 100;
    assert_string_equal(producer(waits, 4, "MH-0801"), "not exercised ");
    assert_string_equal(producer(falls, 12, "MH-0802"), "fail High");
    assert_string_equal(producer(hangs, 4, "MH-0802"), "fail High");
    assert_string_equal(producer(says_no, 12, "MH-0802"), "pass ");
    assert_string_equal(producer(writes_aside, 12, "MH-0802"), "pass ");
    assert_string_equal(producer(waits, 12, "MH-0802"), "not exercised ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed),
        cmocka_unit_test(lived),
        cmocka_unit_test(producers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
