/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about where else a request could go. */
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
#include "play.h"
#include "stage.h"
#include "story.h"

#include "base/banned.h"

enum { SECOND = 9 };
static unsigned turn;

/* A request to one of the two, from one place in the code. */
static void asks(struct story *s, int peer, const char *text)
{
    int64_t conn = ++s->ids;

    story(s, peer, "prices2\n10.0.1.1", .peer = SECOND, .family = 2, .port = 9443, .side = 1);
    story(s, connect, "", .conn = conn, .peer = peer, .side = 1, .stack = IN_PRICES);
    story(s, request, text, .conn = conn, .peer = peer, .exchange = 1, .stack = IN_PRICES);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = peer, .exchange = 1, .latency_ns = 2 * STORY_MS,
          .status = 200, .stack = IN_PRICES);
}

static const char *question(void)
{
    return turn / 2 % 2 ? "GET /price/7" : "GET /price/8";
}
static void in_turn(struct story *s, struct answer *a)
{
    asks(s, turn % 2 ? PRICES : SECOND, question());
    turn++;
}
static void both(struct story *s, struct answer *a)
{
    asks(s, PRICES, question());
    asks(s, SECOND, question());
    turn++;
}
/* Which is asked what is no choice. */
static void parts(struct story *s, struct answer *a)
{
    asks(s, turn % 2 ? PRICES : SECOND, turn % 2 ? "GET /cart/1" : "GET /cart/2");
    turn++;
}
static void says_no(struct story *s, struct answer *a)
{
    decided(s, a); /* at the first one */
}
static void goes_on(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    s->now += 1;
    asks(s, SECOND, question());
}
/* The half of them that meet the dead one. */
static void in_turn_half(struct story *s, struct answer *a)
{
    if (turn++ % 2)
        decided(s, a);
    else
        asks(s, SECOND, question());
}
static void leaves_it(struct story *s, struct answer *a)
{
    if (turn++ < CALM + 6)
        decided(s, a);
    else
        asks(s, SECOND, question());
}
static void without(struct story *s, struct answer *a)
{
    swallowed(s, a);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    a->digest = 3;
}

static const struct play plays[] = {
    {"never the other", "MH-0201", "fail", in_turn, says_no},
    {"half of them", "MH-0201", "fail", in_turn, in_turn_half, NULL, 0, 24},
    {"the other at once", "MH-0201", "pass", in_turn, goes_on},
    {"the other from then on", "MH-0201", "pass", in_turn, leaves_it, NULL, 0, 60},
    {"both are needed", "MH-0201", "not applicable", both, says_no},
    {"each has its part", "MH-0201", "not applicable", parts, says_no},
    {"there is one", "MH-0201", "not applicable", well, says_no},
    {"all is well", "MH-0201", "not exercised", in_turn, in_turn},
    {"there is one", "MH-0202", "fail", well, decided},
    {"there are two", "MH-0202", "not exercised", in_turn, says_no},
    {"the answer is made without it", "MH-0202", "pass", well, without},
    {"a cache", "MH-0202", "not exercised", well_redis, cache_takes_it_down},
    {"some fail", "MH-0202", "not exercised", well, says_no, NULL, 0, 0, 0, true},
};

static void rules(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
        json_t *document;
        const char *got;

        turn = 0;
        document = perform(&plays[i]);
        got = verdict(document, plays[i].rule);
        if (strcmp(got, plays[i].expected))
            fail_msg("%s, %s: expected %s, got %s", plays[i].rule, plays[i].name, plays[i].expected,
                     got);
        if (!strcmp(got, "fail") && !strcmp(plays[i].rule, "MH-0202"))
            assert_string_equal(
                json_string_value(json_object_get(finding(document, "MH-0202"), "confidence")),
                "low");
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
