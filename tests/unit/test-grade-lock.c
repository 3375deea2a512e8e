/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2012: threads that wait for a lock while the one that holds it stands in a call. */
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

enum {
    OWNER = 300,
    WAITER = 301,
    WAITING = 20,
    IN_CONDITION = 21,
    ELSEWHERE = 22,
    IN_LIBRARY_LOCK = 23
};

struct row {
    const char *name, *expected;
    int stack;    /* of who waits */
    int by;       /* who let it go */
    int after_ms; /* the call came back, and then this passed until the wait ended */
    bool limited, late, both, fault_free;
    int times;
};

static const struct row rows[] = {
    {"one function, a lock", "fail High", WAITING, OWNER, .times = 5},
    {"seen once", "fail Medium", WAITING, OWNER, .times = 1},
    {"without any fault", "fail High", WAITING, OWNER, .times = 5, .fault_free = true},
    {"with a limit", "pass", WAITING, OWNER, .times = 5, .limited = true},
    {"in Condition.wait", "not exercised", IN_CONDITION, OWNER, .times = 5},
    {"a lock of a library's", "not exercised", IN_LIBRARY_LOCK, OWNER, .times = 5},
    /* a queue, or a lock in two functions */
    {"let go from another function", "unclear", ELSEWHERE, OWNER, .times = 5},
    {"let go by somebody else", "not exercised", WAITING, 999, .times = 5},
    {"nobody knows by whom", "not exercised", WAITING, 0, .times = 5},
    {"long after the call", "not exercised", WAITING, OWNER, .after_ms = 400, .times = 5},
    {"it gave up", "not exercised", WAITING, OWNER, .limited = true, .late = true, .times = 5},
    {"both call at once", "pass", 0, 0, .both = true, .times = 5},
};

static void call(struct story *s, int tid, int took_ms)
{
    int64_t conn = ++s->ids;

    s->tid = (uint32_t)tid;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_recv, .timeout_ns = -1,
          .waited_ns = took_ms * STORY_MS, .ready = 1, .blocking = 1, .stack = IN_PRICES);
}

static void one(struct story *s, const struct row *row)
{
    s->now += 1000;
    if (!row->fault_free) {
        s->tid = OWNER;
        s->now -= 1000;
        fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, PRICES, ++s->ids, 0);
        s->now += 1000;
    }
    call(s, OWNER, 990);
    if (row->both)
        call(s, WAITER, 900);
    s->now += row->after_ms;
    s->tid = WAITER;
    if (row->stack)
        story(s, locked, "", .call = MH_CALL_sem_wait, .waited_ns = 800 * STORY_MS,
              .limited = row->limited, .got = !row->late, .by = row->by, .stack = row->stack);
    s->now += 20;
}

static const char *judged(const struct row *row)
{
    static char got[64];
    struct story s = {.born = 0};
    json_t *document;
    const json_t *f;

    fault_ms = 30000;
    story_open(&s, "a");
    prologue(&s);
    story(&s, stack, "quote\t/srv/shop/prices.py\t9\nproduct\t/srv/shop/api.py\t58",
          .stack = WAITING, .frames = 2);
    story(&s, stack,
          "Condition.wait\t/usr/lib/python3.11/threading.py\t320\nquote\t/srv/shop/prices.py\t9",
          .stack = IN_CONDITION, .frames = 2);
    story(&s, stack, "result\t/srv/shop/api.py\t80\nproduct\t/srv/shop/api.py\t58",
          .stack = ELSEWHERE, .frames = 2);
    story(&s, stack,
          "Pool.get\t/usr/lib/python3/dist-packages/redis/connection.py\t9\n"
          "quote\t/srv/shop/prices.py\t9",
          .stack = IN_LIBRARY_LOCK, .frames = 2);
    s.tid = WORKER;
    while (s.now < CALM_MS)
        unit(&s, well, 10);
    s.tid = OWNER;
    ask_at(&s, PRICES, 0, 2);
    for (int i = 0; i < row->times; i++)
        one(&s, row);
    s.tid = WORKER;
    for (int i = 0; i < 5; i++)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-2012");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-2012"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void locks(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(locks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
