/* SPDX-License-Identifier: Apache-2.0 */
/* What faults became, where that is not plain: a second endpoint, a worker that has nothing to do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "grade/judge.h"
#include "stage.h"

#include "base/banned.h"

enum { SUCCEEDED = 1, FAILED, RETRIED };
enum { PRIMARY = 20, STANDBY, HERE, THERE };

static int outcomes(const json_t *document, const char *word)
{
    const json_t *one = json_object_get(json_object_get(document, "outcomes"), word);

    return (int)json_integer_value(json_object_get(one, "count"));
}

/* ---- a second endpoint ---- */

static void walk(struct story *s, int first, int then, struct answer *a, const char *handler)
{
    int64_t conn = ++s->ids, op = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = first, .side = 1, .err = ECONNREFUSED,
          .stack = IN_STOCK);
    story(s, op, "", .op = op, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = conn,
          .peer = first, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .ordinal = s->ids, .stack = IN_STOCK, .side = 1);
    if (handler)
        caught(s, op, handler);
    story(s, connect, "", .conn = ++s->ids, .peer = then, .side = 1, .stack = IN_STOCK);
    a->status = 200;
}
static void to_the_standby(struct story *s, struct answer *a)
{
    story(s, peer, "primary\n10.0.0.11", .peer = PRIMARY, .family = 2, .port = 5432, .side = 1);
    story(s, peer, "standby\n10.0.0.12", .peer = STANDBY, .family = 2, .port = 5432, .side = 1);
    walk(s, PRIMARY, STANDBY, a, NULL);
}
static void to_another(struct story *s, struct answer *a, const char *handler)
{
    story(s, peer, "\n10.0.0.11", .peer = HERE, .family = 2, .port = 5432, .side = 1);
    story(s, peer, "\n10.0.0.12", .peer = THERE, .family = 2, .port = 5432, .side = 1);
    walk(s, HERE, THERE, a, handler);
}
static void to_the_next_address(struct story *s, struct answer *a)
{
    to_another(s, a, "create_connection\t/usr/lib/python3.11/socket.py\t845");
}
/* The application catches it between the two: its own list of addresses. */
static void to_the_next_host(struct story *s, struct answer *a)
{
    to_another(s, a, IN_APP);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
}

/* A name with two addresses, and nobody at either. */
static void at_no_address(struct story *s, struct answer *a)
{
    int64_t op = 0;

    for (int i = 0; i < 2; i++) {
        op = fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, i ? PRICES_TOO : PRICES,
                      s->ids + 2, 0);
        story(s, connect, "", .conn = ++s->ids, .peer = i ? PRICES_TOO : PRICES, .side = 1,
              .err = ECONNREFUSED, .stack = IN_PRICES);
    }
    caught(s, op, IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}

static void endpoints(void **state)
{
    static const struct endpoint {
        behave *hit;
        const char *outcome, *expected, *silent;
    } table[] = {
        {to_the_standby, "absorbed", "pass", "not exercised"},
        {to_the_next_address, NULL, "not exercised", "not exercised"},
        {to_the_next_host, "absorbed", "pass", "pass"},
        {at_no_address, "broke", "fail", "not exercised"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct play p = {"", "", "", well, table[i].hit};
        json_t *document = perform(&p);

        for (int k = 0; mh_outcome_words[k]; k++) {
            bool this = table[i].outcome && !strcmp(mh_outcome_words[k], table[i].outcome);

            assert_int_equal(outcomes(document, mh_outcome_words[k]), this ? HIT : 0);
        }
        assert_string_equal(verdict(document, "MH-0101"), table[i].expected);
        assert_string_equal(verdict(document, "MH-1001"), table[i].silent);
        json_decref(document);
    }
}

/* ---- in time ---- */

static void at_its_limit(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    a->ms = 1020;
}
static void long_after(struct story *s, struct answer *a)
{
    at_its_limit(s, a);
    a->ms = 1200;
}

/* Its own limit is the deadline, and what it does after it takes some milliseconds. */
static void deadlines(void **state)
{
    static const struct {
        behave *hit;
        const char *outcome;
    } table[] = {{at_its_limit, "absorbed"}, {long_after, "hung"}};

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct play p = {"", "", "", well, table[i].hit, .hits = 2};
        json_t *document = perform(&p);

        assert_int_equal(outcomes(document, table[i].outcome), 2);
        json_decref(document);
    }
}

/* ---- workers of a queue ---- */

static void run(struct story *s, const char *id, int state)
{
    int64_t unit = ++s->ids, op = ++s->ids;
    char text[60];

    snprintf(text, sizeof(text), "celery\nshop.charge\n%s", id);
    story(s, task_begin, text, .unit = unit, .exact = 1, .stack = IN_PRICES);
    if (state != SUCCEEDED) {
        story(s, op, "", .op = op, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = ++s->ids,
              .peer = PRICES, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
              .effect = MH_EFFECT_error + 1, .stack = IN_PRICES, .side = 1, .unit = unit,
              .ordinal = s->ids);
        caught(s, op, IN_LIBRARY);
    }
    s->now += 5;
    story(s, task_end, "", .unit = unit, .state = state);
    s->now += 100;
}

/* Three tasks end like this, and their process says nothing more: the broker gives all that follows
 * to a sibling. */
static json_t *idle(int state, bool again)
{
    struct story s = {0};
    json_t *document;
    char id[20];

    story_open(&s, "idle");
    prologue(&s);
    s.tid = WORKER;
    run(&s, "early", SUCCEEDED);
    s.now = CALM_MS;
    for (int i = 0; i < 3; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        run(&s, id, state);
    }
    fseek(s.file, offsetof(struct mh_file_header, complete), SEEK_SET);
    fputc(0, s.file);
    story_close(&s);
    story_open(&s, "sibling");
    prologue(&s);
    s.tid = WORKER;
    s.now = CALM_MS + 1000;
    for (int i = again ? 0 : 3; s.now < FAULT_MS + 10000; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        run(&s, id, SUCCEEDED);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    story_remove(&s);
    return document;
}

static void workers(void **state)
{
    json_t *document = idle(FAILED, false);

    assert_int_equal(outcomes(document, "collapsed"), 0);
    assert_int_equal(outcomes(document, "broke"), 3);
    json_decref(document);
}

/* The queue does it again: that is a new try, though no call of the first run shows it. */
static void retries(void **state)
{
    json_t *document = idle(RETRIED, true);

    assert_int_equal(outcomes(document, "silent"), 0);
    assert_int_equal(outcomes(document, "absorbed"), 3);
    assert_string_not_equal(verdict(document, "MH-0103"), "fail");
    assert_string_equal(verdict(document, "MH-1001"), "not exercised");
    json_decref(document);
}

/* ---- how often a unit of work was hit ---- */

static void fails_thrice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 2; i++) {
        caught(s, refuse(s, PRICES), IN_APP);
        story(s, sleep, "", .requested_ns = 60 * STORY_MS, .stack = IN_PRICES);
        s->now += 60;
    }
    uncontrolled(s, a);
}
static void fails_at_two(struct story *s, struct answer *a)
{
    caught(s, refuse(s, OTHER), IN_APP);
    uncontrolled(s, a);
}

static int64_t fired(const json_t *one)
{
    return json_integer_value(json_object_get(json_object_get(one, "trials"), "fired"));
}

/* Thrice at one site is one trial of a request, and its last failure says how that ended; at two
 * sites it is one of each. Two requests are no sample, however often each of them failed. */
static void sample(void **state)
{
    static const struct play thrice = {"", "", "", well, fails_thrice},
                             few = {"", "", "", well, fails_thrice, .hits = 1},
                             two = {"", "", "", well, fails_at_two};
    json_t *document = perform(&thrice);

    assert_int_equal(fired(finding(document, "MH-0101")), HIT);
    assert_int_equal(outcomes(document, "broke"), HIT);
    json_decref(document);
    document = perform(&few);
    assert_string_equal(
        json_string_value(json_object_get(finding(document, "MH-0101"), "confidence")), "low");
    json_decref(document);
    document = perform(&two);
    assert_int_equal(outcomes(document, "broke"), 2 * HIT);
    json_decref(document);
}

/* ---- a record that is missing ---- */

static unsigned failures, silent;

static void told_but_for(struct story *s, struct answer *a)
{
    (failures++ % 9 < silent ? swallowed : told)(s, a);
}

static void missing(void **state)
{
    static const struct play play = {"", "MH-1001", "", well, told_but_for, .hits = 9};
    static const char *const expected[] = {"pass", "unclear", "fail"};
    json_t *document;

    for (silent = 0; silent < ARRAY_SIZE(expected); silent++) {
        document = perform(&play);
        assert_string_equal(verdict(document, "MH-1001"), expected[silent]);
        json_decref(document);
    }
}

/* ---- the traceback of a script that is stopped is of the stop, not of what failed before ---- */

static const char *last_words;

static void ends_with(struct story *s, struct answer *a)
{
    swallowed(s, a);
    story(s, log, "", .sink = 2, .traceback = 1);
    story(s, log, last_words, .sink = 2);
}

static const char *said_last(const char *words)
{
    static const struct play play = {"", "MH-1001", "", well, ends_with};
    json_t *document;
    const char *ret;

    last_words = words;
    document = perform(&play);
    ret = verdict(document, "MH-1001");
    json_decref(document);
    return ret;
}

static void stopped(void **state)
{
    assert_string_equal(said_last("KeyboardInterrupt"), "fail");
    assert_string_equal(said_last("asyncio.exceptions.CancelledError"), "fail");
    assert_string_equal(said_last("ConnectionRefusedError"), "pass");
    assert_string_equal(said_last("shop.Unavailable"), "pass");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints), cmocka_unit_test(deadlines), cmocka_unit_test(workers),
        cmocka_unit_test(retries),   cmocka_unit_test(sample),    cmocka_unit_test(missing),
        cmocka_unit_test(stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
