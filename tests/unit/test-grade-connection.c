/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about what becomes of a connection after a timeout. */
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

enum { KEPT = 77, READER = 300 };
static int64_t exchange;

static void sends(struct story *s, int64_t conn, int64_t number, const char *text)
{
    if (number == 1)
        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, text, .conn = conn, .peer = PRICES, .exchange = number, .bytes = 20,
          .digest = 9, .stack = IN_PRICES);
}

static void answer(struct story *s, int64_t conn, int64_t number)
{
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = number, .status = 200,
          .latency_ns = STORY_MS, .stack = IN_PRICES);
}

static void gives_up(struct story *s, int64_t conn, int64_t number, uint32_t tid)
{
    uint32_t own = s->tid;

    s->now += 1;
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
    s->now += 50;
    s->tid = tid;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = 50 * STORY_MS, .waited_ns = 50 * STORY_MS, .ready = 0, .blocking = 1,
          .stack = IN_PRICES);
    s->tid = own;
    s->now += 1;
}

/* One connection for all; nobody closes it. */
static void kept(struct story *s, struct answer *a)
{
    sends(s, KEPT, ++exchange, "GET /json");
    gives_up(s, KEPT, exchange, s->tid);
    a->status = 503;
}
static void kept_numbered(struct story *s, struct answer *a)
{
    sends(s, KEPT, ++exchange, "");
    gives_up(s, KEPT, exchange, s->tid);
}
static void kept_well(struct story *s, struct answer *a)
{
    sends(s, KEPT, ++exchange, "GET /json");
    s->now += 1;
    answer(s, KEPT, exchange);
}
/* It waits again, and reads its answer itself. */
static void waits_twice(struct story *s, struct answer *a)
{
    kept(s, a);
    gives_up(s, KEPT, exchange, s->tid);
    answer(s, KEPT, exchange);
    a->status = 200;
}
/* A thread reads for all, and its waits end whenever nothing comes. */
static void read_beside(struct story *s, struct answer *a)
{
    sends(s, KEPT, ++exchange, "GET /json");
    gives_up(s, KEPT, exchange, READER);
}
/* The same caller asks again; whose answer it gets is its own affair. */
static void asks_again(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    sends(s, conn, 1, "GET /json");
    gives_up(s, conn, 1, s->tid);
    sends(s, conn, 2, "GET /json");
    answer(s, conn, 2);
}
static void closes(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    sends(s, conn, 1, "GET /json");
    gives_up(s, conn, 1, s->tid);
    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    a->status = 503;
}

static const struct play plays[] = {
    {"the next one gets it", "MH-2003", "fail", kept_well, kept},
    {"closed", "MH-2003", "pass", well, closes},
    {"all is well", "MH-2003", "not exercised", kept_well, kept_well},
    {"its answer is read late", "MH-2003", "not exercised", kept_well, waits_twice},
    {"a reader in a thread of its own", "MH-2003", "not exercised", kept_well, read_beside},
    {"the same caller asks again", "MH-2003", "not exercised", well, asks_again},
    {"answers may carry numbers", "MH-2003", "unclear", kept_well, kept_numbered},
};

static void rules(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
        json_t *document;
        const char *got;

        exchange = 0;
        document = perform(&plays[i]);
        got = verdict(document, plays[i].rule);
        if (strcmp(got, plays[i].expected))
            fail_msg("%s, %s: expected %s, got %s", plays[i].rule, plays[i].name, plays[i].expected,
                     got);
        if (!strcmp(got, "fail"))
            assert_string_equal(
                json_string_value(json_object_get(finding(document, plays[i].rule), "severity")),
                "Critical");
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
