/* SPDX-License-Identifier: Apache-2.0 */
/* A unit that met several failures and broke: which of them broke it? */
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

enum { AT_WORK = 60, WHILE_TOLD = 61, BESIDE = 12 };

#define CATCH_ALL "Flask.wsgi_app\t/usr/lib/python3/dist-packages/flask/app.py\t"
#define LOGGING   "/usr/lib/python3.11/logging/__init__.py\t"

static void stacks(struct story *s)
{
    story(s, stack, "save\t/srv/shop/orders.py\t30\n" CATCH_ALL "1511", .stack = AT_WORK,
          .frames = 2);
    story(s, stack,
          "StreamHandler.flush\t" LOGGING "1136\nStreamHandler.emit\t" LOGGING
          "1154\nFlask.log_exception\t/usr/lib/python3/dist-packages/flask/app.py\t875\n" CATCH_ALL
          "1514",
          .stack = WHILE_TOLD, .frames = 4);
    story(s, path, "/srv/shop/shop.log", .path = LOG_FILE);
    story(s, path, "/srv/shop/orders.db", .path = DATA_FILE);
}

/* A write to a full disk, and where its exception was stopped. */
static void no_space(struct story *s, int path, int stack, const char *stopped)
{
    static int64_t ordinal;
    int64_t op = ++s->ids;
    char text[300];

    story(s, op, "", .op = op, .kind = MH_OP_write, .call = MH_CALL_write, .path = path,
          .result = -1, .err = ENOSPC, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .ordinal = ordinal++, .stack = stack);
    snprintf(text, sizeof(text), "OSError\t%s", stopped);
    story(s, outcome, "OSError\tsave\t/srv/shop/orders.py\t30", .op = op, .step = MH_STEP_born,
          .object = op, .source = MH_SOURCE_trace);
    story(s, outcome, text, .op = op, .step = MH_STEP_handled, .object = op,
          .source = MH_SOURCE_trace);
}

static void broken(struct answer *a)
{
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}

/* The order cannot be written, and neither can the log's record of that: logging lets that go. */
static void full_disk(struct story *s, struct answer *a)
{
    stacks(s);
    no_space(s, DATA_FILE, AT_WORK, CATCH_ALL "1512");
    no_space(s, LOG_FILE, WHILE_TOLD, "StreamHandler.emit\t" LOGGING "1157");
    broken(a);
}
/* The order cannot be written, and what SQLite did beside that neither: nobody heard of it. */
static void full_disk_twice(struct story *s, struct answer *a)
{
    stacks(s);
    story(s, path, "/srv/shop/orders.db-shm", .path = BESIDE);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_write, .call = MH_CALL_write, .path = BESIDE,
          .result = -1, .err = ENOSPC, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .ordinal = s->ids, .stack = WHILE_TOLD);
    no_space(s, DATA_FILE, AT_WORK, CATCH_ALL "1512");
    broken(a);
}
/* Late, and then refused at another place: it is not the delay that made it a 500. */
static void late_then_refused(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, request, "GET /json", .conn = conn, .peer = OTHER, .exchange = 1, .stack = IN_STOCK);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, OTHER, conn, 0);
    s->now += 50;
    story(s, response, "", .conn = conn, .peer = OTHER, .exchange = 1, .status = 200,
          .stack = IN_STOCK);
    uncontrolled(s, a);
}
/* Only the log is full, and its handler raises. */
static void full_log(struct story *s, struct answer *a)
{
    stacks(s);
    no_space(s, LOG_FILE, WHILE_TOLD, CATCH_ALL "1512");
    broken(a);
}
/* What broke it is not on record, but logging went on. */
static void full_log_let_go(struct story *s, struct answer *a)
{
    stacks(s);
    no_space(s, LOG_FILE, WHILE_TOLD, "StreamHandler.emit\t" LOGGING "1157");
    broken(a);
}

static const struct play plays[] = {
    {"the log's record of what failed", "MH-1004", "not exercised", needs_nobody, full_disk},
    {"the log itself", "MH-1004", "fail", needs_nobody, full_log},
    {"a log that lets go", "MH-1004", "not exercised", needs_nobody, full_log_let_go},
    {"a log that lets go", "MH-0101", "not exercised", needs_nobody, full_log_let_go},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

static void is_the_order(behave *hit)
{
    const struct play play = {"", "MH-0101", "fail", needs_nobody, hit};
    json_t *document = perform(&play);
    const json_t *f;
    size_t i, n = 0;

    json_array_foreach(json_object_get(document, "findings"), i, f)
    {
        if (strcmp(json_string_value(json_object_get(f, "rule")), "MH-0101"))
            continue;
        assert_string_equal(json_string_value(json_object_get(f, "peer")), "/srv/shop/orders.db");
        n++;
    }
    assert_int_equal(n, 1);
    json_decref(document);
}

/* It is the order that was not controlled. */
static void the_one(void **state)
{
    is_the_order(full_disk);
    is_the_order(full_disk_twice);
}

static void late(void **state)
{
    const struct play play = {"", "MH-0101", "fail", needs_nobody, late_then_refused};
    json_t *document = perform(&play);
    const json_t *broke = json_object_get(json_object_get(document, "outcomes"), "broke");

    assert_int_equal(json_integer_value(json_object_get(broke, "count")), HIT);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules), cmocka_unit_test(the_one),
                                       cmocka_unit_test(late)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
