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
};

static const char *outage(const struct outage *o, const char *rule)
{
    static char got[64];
    struct story s = {0};
    json_t *document;

    fault_ms = CALM_MS + 40000;
    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++) {
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
    snprintf(got, sizeof(got), "%s %s", verdict(document, rule),
             finding(document, rule)
                 ? json_string_value(json_object_get(finding(document, rule), "severity"))
                 : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void breakers(void **state)
{
    static const struct outage asks = {.hit = uncontrolled, .after = well, .after_ms = 20000};
    static const struct outage opens = {.hit = breaker, .after = well, .after_ms = 20000};
    static const struct outage queues = {.hit = pool_is_empty, .after = well, .after_ms = 20000};
    static const struct outage stays = {.hit = breaker, .after = stuck, .after_ms = 130000};
    static const struct outage short_watch = {.hit = breaker, .after = stuck, .after_ms = 30000};

    breaker_failures = 0;
    assert_string_equal(outage(&asks, "MH-0301"), "fail Low"); /* refused at once: costs little */
    assert_string_equal(outage(&opens, "MH-0301"), "pass ");
    breaker_failures = 0;
    assert_string_equal(outage(&queues, "MH-0301"), "unclear ");
    breaker_failures = 0;
    assert_string_equal(outage(&stays, "MH-0302"), "fail High");
    breaker_failures = 0;
    assert_string_equal(outage(&short_watch, "MH-0302"), "unclear ");
    breaker_failures = 0;
    assert_string_equal(outage(&opens, "MH-0302"), "pass ");
    assert_string_equal(outage(&asks, "MH-0302"), "not exercised ");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breakers),
        cmocka_unit_test(bystanders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
