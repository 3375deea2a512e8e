/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2020: one errno, and what three places make of it. */
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
#include "story.h"

#include "base/banned.h"

enum { DB = 30 };

/* What one place makes of a refusal: an exception of its own (or NULL), and a status. */
struct telling {
    int peer;
    const char *own;
    int status;
};

struct row {
    const char *name, *expected;
    struct telling places[4];
    int each;    /* requests, each */
    bool unseen; /* no exception could be followed */
};

static const struct row rows[] = {
    {"three ways", "fail", {{PRICES, NULL, 500}, {REDIS, NULL, 503}, {OTHER, NULL, 502}}, 4, false},
    {"all alike", "pass", {{PRICES, NULL, 503}, {REDIS, NULL, 503}, {OTHER, NULL, 503}}, 4, false},
    /* three libraries or helpers, one status: the caller sees no difference */
    {"exceptions differ, and no status",
     "pass",
     {{PRICES, "PriceDown", 503}, {REDIS, "CacheDown", 503}, {OTHER, "StockDown", 503}},
     4,
     false},
    {"two statuses and nothing else",
     "pass",
     {{PRICES, NULL, 500}, {REDIS, NULL, 503}, {OTHER, NULL, 503}},
     4,
     false},
    {"own exceptions and two statuses",
     "fail",
     {{PRICES, "PriceDown", 502}, {REDIS, "CacheDown", 503}, {OTHER, NULL, 503}},
     4,
     false},
    {"two statuses, exceptions unseen",
     "unclear",
     {{PRICES, NULL, 500}, {REDIS, NULL, 503}, {OTHER, NULL, 503}},
     4,
     true},
    /* one status for each kind of peer, all chosen */
    {"by kind of peer",
     "unclear",
     {{PRICES, NULL, 502}, {REDIS, NULL, 503}, {DB, NULL, 504}},
     4,
     false},
    {"two places", "not exercised", {{PRICES, NULL, 500}, {OTHER, NULL, 503}}, 4, false},
    {"once each", "fail", {{PRICES, NULL, 500}, {REDIS, NULL, 503}, {OTHER, NULL, 502}}, 1, false},
};

static void fail_at(struct story *s, const struct telling *t, bool unseen)
{
    static const char *const routes[] = {"", "GET /product/7", "GET /page", "GET /stock"};
    const char *route = t->peer == DB ? "GET /cart" : routes[t->peer];
    int stack = t->peer == DB ? IN_CARTS : stack_of(t->peer);
    int64_t id = ++s->ids, op = ++s->ids, conn = ++s->ids;
    char text[200];

    story(s, unit_begin, route, .unit = id, .conn = id);
    story(s, op, "", .op = op, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = conn,
          .peer = t->peer, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .ordinal = op, .stack = stack, .side = 1, .unit = id);
    story(s, connect, "", .conn = conn, .peer = t->peer, .side = 1, .err = ECONNREFUSED,
          .stack = stack, .unit = id);
    if (!unseen) {
        story(s, outcome, "ConnectionRefusedError\tcreate_connection\t/usr/lib/python3.11/x.py\t8",
              .op = op, .step = MH_STEP_born, .object = op, .source = MH_SOURCE_trace);
        if (t->own) {
            snprintf(text, sizeof(text), "%s\t" IN_APP, t->own);
            story(s, outcome, text, .op = op, .step = MH_STEP_replaced, .object = op + 1,
                  .source = MH_SOURCE_trace);
        }
        story(s, outcome, "x\t" IN_APP, .op = op, .step = MH_STEP_handled, .object = op,
              .source = MH_SOURCE_trace);
    }
    s->now += 3;
    story(s, unit_end, route, .unit = id, .conn = id, .status = t->status,
          .latency_ns = 3 * STORY_MS, .retry_after_s = -1);
    s->now += 10;
}

static void well_at_both(struct story *s, struct answer *a)
{
    ask_at(s, PRICES, 0, 2);
    ask_at(s, OTHER, 0, 2);
}

static const char *judged(const struct row *row)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    story(&s, peer, "db\n10.0.0.6", .peer = DB, .family = 2, .port = 5432, .side = 1);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well_at_both, 10);
    s.now = CALM_MS;
    for (int i = 0; i < row->each; i++)
        for (const struct telling *t = row->places; t->peer; t++)
            fail_at(&s, t, row->unseen);
    for (s.now = FAULT_MS; s.now < RECOVERED_MS; s.now += 400)
        unit(&s, well_at_both, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-2020");
}

static void dialects(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dialects)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
