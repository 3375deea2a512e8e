/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader that need an outage of some length: breakers, bystanders, health routes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "play-more.h"
#include "story.h"

#include "base/banned.h"

/* ---- outages: 40 s, a request every 400 ms or `every`, then the time after ---- */

struct outage {
    behave *hit, *after, *beside; /* beside: requests of another route, during the fault */
    int64_t after_ms, every;
    const char *beside_path;
    int calm; /* requests before it; 0: CALM */
};

static json_t *outage_graded(const struct outage *o)
{
    struct story s = {0};
    json_t *document;

    fault_ms = CALM_MS + 40000;
    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < (o->calm ? o->calm : CALM); i++) {
        unit(&s, well, 10);
        if (o->beside)
            unit_of(&s, o->beside_path, needs_nobody, 10);
    }
    for (s.now = CALM_MS; s.now < fault_ms; s.now += o->every ? o->every : 400) {
        unit(&s, o->hit, 10);
        if (o->beside)
            unit_of(&s, o->beside_path, o->beside, 10);
    }
    for (s.now = fault_ms; s.now < fault_ms + o->after_ms; s.now += 1000)
        unit(&s, o->after, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    fault_ms = FAULT_MS;
    document = grade_story(&s);
    story_remove(&s);
    return document;
}

static const char *outage(const struct outage *o, const char *rule)
{
    static char got[64];
    json_t *document = outage_graded(o);

    snprintf(got, sizeof(got), "%s %s", verdict(document, rule),
             finding(document, rule)
                 ? json_string_value(json_object_get(finding(document, rule), "severity"))
                 : "");
    json_decref(document);
    return got;
}

static void breakers(void **state)
{
    static const struct outage asks = {.hit = uncontrolled, .after = well, .after_ms = 20000};
    static const struct outage opens = {.hit = breaker, .after = well, .after_ms = 20000};
    static const struct outage queues = {.hit = pool_is_empty, .after = well, .after_ms = 20000};
    static const struct outage stays = {.hit = breaker, .after = stuck, .after_ms = 130000};
    static const struct outage few_calls = {
        .hit = breaker, .after = stuck, .after_ms = 130000, .calm = 6};
    static const struct outage short_watch = {.hit = breaker, .after = stuck, .after_ms = 30000};

    breaker_failures = 0;
    assert_string_equal(outage(&asks, "MH-0301"), "fail Low"); /* refused at once: costs little */
    assert_string_equal(outage(&opens, "MH-0301"), "pass ");
    breaker_failures = 0;
    assert_string_equal(outage(&queues, "MH-0301"), "unclear ");
    breaker_failures = 0;
    assert_string_equal(outage(&stays, "MH-0302"), "fail High");
    breaker_failures = 0; /* many requests need it, and that they ask so little is the finding */
    assert_string_equal(outage(&few_calls, "MH-0302"), "fail High");
    breaker_failures = 0;
    assert_string_equal(outage(&short_watch, "MH-0302"), "unclear ");
    breaker_failures = 0;
    assert_string_equal(outage(&opens, "MH-0302"), "pass ");
    assert_string_equal(outage(&asks, "MH-0302"), "not exercised ");
}

/* ---- MH-0303, MH-0304: rounds of requests, some of which ask ---- */

static int turn;

/* Of 60 requests the first n ask, and are refused; the others end at once. */
static void round_of(struct story *s, struct answer *a, int n)
{
    if (turn++ % 60 < n)
        decided(s, a);
    else
        *a = (struct answer){.status = 503, .ms = 1, .retry_after = 5};
}
static void all_try(struct story *s, struct answer *a)
{
    round_of(s, a, 20);
}
static void one_tries(struct story *s, struct answer *a)
{
    round_of(s, a, 1);
}
/* So many answers of 404 in a row, then a failure or none, then nobody asks. */
static void not_found(struct story *s, struct answer *a, int n, bool fails)
{
    int now = turn++ % 60;

    if (turn == 1) /* a fault, or all of it would be calm */
        decided(s, a);
    else if (now < n) {
        exchange(s, "GET /user/7", 5, 404, -1, false);
        a->status = 404;
    } else if (fails && now < n + 3)
        decided(s, a);
    else
        *a = (struct answer){.status = 503, .ms = 1, .retry_after = 5};
}
static void opens_on_404(struct story *s, struct answer *a)
{
    not_found(s, a, 5, false);
}
static void opens_on_failures(struct story *s, struct answer *a)
{
    not_found(s, a, 12, true);
}
/* What is not there is not asked for again: an answer, and no refusal. */
static void remembers_404(struct story *s, struct answer *a)
{
    not_found(s, a, 5, false);
    a->status = 404;
}

static void half_open(void **state)
{
    static const struct outage flood = {
        .hit = all_try, .after = well, .after_ms = 5000, .every = 30};
    static const struct outage one = {
        .hit = one_tries, .after = well, .after_ms = 5000, .every = 30};
    static const struct outage asks = {.hit = uncontrolled, .after = well, .every = 30};
    static const struct outage rare = {
        .hit = all_try, .after = well, .after_ms = 5000, .every = 400};

    turn = 0;
    assert_string_equal(outage(&flood, "MH-0303"), "fail Low");
    turn = 0;
    assert_string_equal(outage(&one, "MH-0303"), "pass ");
    assert_string_equal(outage(&asks, "MH-0303"), "not exercised ");
    turn = 0;
    assert_string_equal(outage(&rare, "MH-0303"), "not exercised "); /* two a second */
}

static void callers_errors(void **state)
{
    static const struct outage opens = {
        .hit = opens_on_404, .after = well, .after_ms = 5000, .every = 30};
    static const struct outage stays = {
        .hit = opens_on_failures, .after = well, .after_ms = 5000, .every = 30};
    static const struct outage keeps = {
        .hit = remembers_404, .after = well, .after_ms = 5000, .every = 30};

    turn = 0;
    assert_string_equal(outage(&opens, "MH-0304"), "fail Low");
    turn = 0;
    assert_string_equal(outage(&stays, "MH-0304"), "pass ");
    turn = 0;
    assert_string_equal(outage(&keeps, "MH-0304"), "not exercised ");
}

static void bystanders(void **state)
{
    static const struct outage fine = {
        .hit = uncontrolled, .after = well, .beside = needs_nobody, .beside_path = "GET /about"};
    static const struct outage slow = {
        .hit = uncontrolled, .after = well, .beside = is_slow, .beside_path = "GET /about"};
    static const struct outage broken = {
        .hit = uncontrolled, .after = well, .beside = remembered, .beside_path = "GET /about"};
    static const struct outage ready = {
        .hit = uncontrolled, .after = well, .beside = stuck, .beside_path = "GET /health/ready"};
    static const struct outage lies = {
        .hit = uncontrolled, .after = well, .beside = needs_nobody, .beside_path = "GET /health"};
    static const struct outage live = {
        .hit = uncontrolled, .after = well, .beside = stuck, .beside_path = "GET /health/live"};

    assert_string_equal(outage(&fine, "MH-0402"), "pass ");
    assert_string_equal(outage(&slow, "MH-0402"), "fail High");
    assert_string_equal(outage(&broken, "MH-0402"), "fail Critical");
    assert_string_equal(outage(&ready, "MH-0402"), "not exercised ");
    assert_string_equal(outage(&lies, "MH-1005"), "fail Medium");
    assert_string_equal(outage(&ready, "MH-1005"), "pass ");
    assert_string_equal(outage(&live, "MH-1005"), "fail Medium");
    assert_string_equal(outage(&fine, "MH-1005"), "not applicable ");
}

/* ---- MH-0403: two faults one after the other, and down ever since: it is the later one ---- */

static void then_the_cache(struct story *s, struct answer *a)
{
    if (s->now < fault_ms + 10000)
        caught(s, refuse(s, REDIS), IN_FRAMEWORK);
    stuck(s, a);
}

static void which_fault(void **state)
{
    static const struct outage two = {
        .hit = uncontrolled, .after = then_the_cache, .after_ms = 60000};
    json_t *document = outage_graded(&two);
    size_t k, n = 0;
    json_t *v;

    json_array_foreach(json_object_get(document, "findings"), k, v)
    {
        if (strcmp(json_string_value(json_object_get(v, "rule")), "MH-0403") != 0)
            continue;
        n++;
        assert_non_null(strstr(json_string_value(json_object_get(v, "peer")), "6379"));
    }
    assert_int_equal(n, 1);
    json_decref(document);
}

/* ---- MH-0502, MH-0503: what requests leave to be done after their answers, and is refused ---- */

static void later_refused(struct story *s, int64_t task)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .err = ECONNREFUSED,
          .stack = IN_PRICES, .task = task);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = conn,
          .peer = PRICES, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .stack = IN_PRICES, .task = task, .side = 1);
}

/* Requests, each with a task that goes on; `each`: tries of one task. */
static const char *leaves_work(int requests, int each, const char *rule)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int i = 0; i < requests; i++) {
        int64_t id = ++s.ids, task = 5000 + i;

        story(&s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
        story(&s, begun, "", .piece = 100 + i, .what = 1, .task = task, .unit = id,
              .thread = WORKER, .begun_at = story_at(&s));
        s.now += 2;
        story(&s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 200,
              .latency_ns = 2 * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1,
              .begun_at = STORY_MONO + (s.now - 2) * STORY_MS);
        for (int k = 0; k < each; k++) {
            s.now += 3;
            later_refused(&s, task);
        }
    }
    for (s.now = FAULT_MS; s.now < 20000; s.now += 400)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, rule);
}

static void left_to_do(void **state)
{
    assert_string_equal(leaves_work(40, 1, "MH-0502"), "not exercised"); /* once each */
    assert_string_equal(leaves_work(40, 1, "MH-0503"), "not exercised");
    assert_string_equal(leaves_work(1, 40, "MH-0502"), "fail"); /* one tried on and on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breakers),       cmocka_unit_test(half_open),
        cmocka_unit_test(callers_errors), cmocka_unit_test(bystanders),
        cmocka_unit_test(which_fault),    cmocka_unit_test(left_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
