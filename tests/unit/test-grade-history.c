/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about the tests themselves: how much was tested, by whom, and when. */
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

enum { NOTHING = 0, FAILS = 1, FAILS_ONCE = 2, SLOW = 4, ALL = 7 };

/* A fault of its own for each thing that happens, so that single failures are told from many. */
static void meets(struct story *s, int what, int i)
{
    int64_t conn = ++s->ids, op = ++s->ids;
    bool slow = what == SLOW;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
          .err = slow ? 0 : ECONNREFUSED);
    if (slow)
        story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1,
              .stack = IN_PRICES);
    story(s, op, "", .op = op, .kind = slow ? MH_OP_recv : MH_OP_connect, .call = MH_CALL_connect,
          .conn = conn, .peer = PRICES, .result = slow ? 0 : -1, .err = slow ? 0 : ECONNREFUSED,
          .wait_ns = -1, .fault = what, .effect = (slow ? MH_EFFECT_delay : MH_EFFECT_error) + 1,
          .delay_ns = slow ? 50 * STORY_MS : 0, .ordinal = what == FAILS_ONCE ? i * 5 : i,
          .stack = IN_PRICES, .side = 1, .exchange = 1, .nonblocking = 1);
}

static void request(struct story *s, int what, int i)
{
    int64_t id = ++s->ids, begun = s->now;
    bool well = !what || what == SLOW;

    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
    if (what)
        meets(s, what, i);
    else
        ask_at(s, PRICES, 0, 2);
    s->now += 10;
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = well ? 200 : 503,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1,
          .fds = 10, .begun_at = STORY_MONO + begun * STORY_MS);
    s->now += 4;
}

static const char *judged(const struct mh_past *past, int tested, const char *rule)
{
    static char got[64];
    const struct mh_grade_options options = {.past = past};
    struct story s = {0};
    const char *dirs[] = {s.dir};
    struct mh_model *m;
    json_t *document;

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        request(&s, NOTHING, i);
    s.now = CALM_MS;
    for (int what = FAILS; what <= SLOW; what *= 2)
        for (int i = 0; i < 4 && (tested & what); i++)
            request(&s, what, i);
    for (s.now = FAULT_MS; s.now < 2 * FAULT_MS; s.now += 400)
        request(&s, NOTHING, 0);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_int_equal(mh_grade(m, &options, &document), 0);
    mh_model_free(m);
    snprintf(got, sizeof(got), "%s", verdict(document, rule));
    json_decref(document);
    story_remove(&s);
    return got;
}

static void covers(void **state)
{
    static const struct mh_past full = {.known = true, .plan = "full"};
    static const struct mh_past quick = {.known = true, .plan = "quick"};

    assert_string_equal(judged(NULL, ALL, "MH-0901"), "pass");
    assert_string_equal(judged(&full, FAILS, "MH-0901"), "fail");
    assert_string_equal(judged(&quick, FAILS, "MH-0901"), "unclear"); /* meant to be quick */
    assert_string_equal(judged(NULL, FAILS, "MH-0901"), "unclear");
    assert_string_equal(judged(&full, NOTHING, "MH-0901"), "not exercised");
}

static void pipelines(void **state)
{
    static const struct mh_past desk = {.known = true, .gate = true, .compared = true};
    static const struct mh_past all = {
        .known = true, .pipeline = "GITLAB_CI", .gate = true, .compared = true};
    static const struct mh_past first = {.known = true, .pipeline = "CI", .gate = true};
    static const struct mh_past later = {.known = true, .pipeline = "CI"};

    assert_string_equal(judged(&all, FAILS, "MH-0902"), "pass");
    assert_string_equal(judged(&first, FAILS, "MH-0902"), "fail"); /* partial: nothing to compare */
    assert_string_equal(judged(&later, FAILS, "MH-0902"), "unclear"); /* a later step may stop it */
    assert_string_equal(judged(&desk, FAILS, "MH-0902"), "unclear");
    assert_string_equal(judged(NULL, FAILS, "MH-0902"), "unclear");
}

/* Stories happen on 2026-09-21. */
static void ages(void **state)
{
    static const char *const september[] = {"2026-09-01T00:00:00Z", NULL};
    static const char *const august[] = {"2026-08-01T00:00:00Z", "2026-07-01T00:00:00Z", NULL};
    static const char *const several[] = {"2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z",
                                          "2026-10-01T00:00:00Z", NULL};
    static const char *const no_times[] = {"yesterday", "2026-10-01T00:00:00Z", NULL};
    static const struct mh_past lately = {.known = true, .compared = true, .full = september};
    static const struct mh_past long_ago = {.known = true, .compared = true, .full = august};
    static const struct mh_past history = {.known = true, .kept = true, .full = several};
    static const struct mh_past garbled = {.known = true, .kept = true, .full = no_times};

    assert_string_equal(judged(&lately, FAILS, "MH-0903"), "pass");
    assert_string_equal(judged(&history, FAILS, "MH-0903"), "pass");
    assert_string_equal(judged(&long_ago, FAILS, "MH-0903"), "fail");
    assert_string_equal(judged(&long_ago, ALL, "MH-0903"), "pass"); /* this one is full itself */
    assert_string_equal(judged(&garbled, FAILS, "MH-0903"), "unclear");
    assert_string_equal(judged(NULL, FAILS, "MH-0903"), "unclear");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers),
        cmocka_unit_test(pipelines),
        cmocka_unit_test(ages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
