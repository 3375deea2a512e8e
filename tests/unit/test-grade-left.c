/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2019: the client leaves after two seconds; what was begun for it goes on, or not. */
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

enum { SERVED = 60, FREE, LEFT_MS = 2000, EACH_MS = 20000, HANG_MS = 80000 };

struct row {
    const char *name, *expected, *path;
    int stack;
    int calls[3]; /* how long each takes, ms; one after the other */
    bool stays;   /* the client waits, and is answered in the end */
    bool beside;  /* another one that is answered was in flight, too */
};

static const struct row rows[] = {
    {"nobody leaves", "not exercised", "GET /product/7", SERVED, {4000}, true, false},
    {"one long call", "fail", "GET /product/7", SERVED, {9000}, false, false},
    {"tries again", "fail", "GET /product/7", SERVED, {3000, 3000, 3000}, false, false},
    {"given up soon", "pass", "GET /product/7", SERVED, {3000}, false, false},
    {"set free", "unclear", "GET /product/7", FREE, {9000}, false, false},
    {"a payment", "unclear", "POST /pay", SERVED, {9000}, false, false},
    {"maybe the other's", "not exercised", "GET /product/7", SERVED, {9000}, false, true},
};

static void say_end(struct story *s, int64_t id, const char *path, int status)
{
    story(s, unit_end, path, .unit = id, .conn = id, .status = status, .how = status ? 0 : 1,
          .latency_ns = LEFT_MS * STORY_MS, .retry_after_s = -1, .digest = 7);
}

static void call(struct story *s, const struct row *row, int64_t conn, int64_t task)
{
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = row->stack,
          .task = task);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = row->stack,
          .task = task);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .conn = conn,
          .peer = PRICES, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_hang + 1, .side = 1,
          .ordinal = s->ids, .stack = row->stack, .task = task, .nonblocking = 1);
}

static void hit(struct story *s, const struct row *row)
{
    int64_t id = ++s->ids, other = ++s->ids, task = ++s->ids, begun = s->now;
    bool gone = false;

    story(s, unit_begin, row->path, .unit = id, .conn = id);
    if (row->beside)
        story(s, unit_begin, row->path, .unit = other, .conn = other);
    for (size_t i = 0; i < ARRAY_SIZE(row->calls) && row->calls[i]; i++) {
        int64_t conn = ++s->ids, end;

        s->now += 5;
        call(s, row, conn, task);
        end = s->now + row->calls[i];
        if (!gone && end > begun + LEFT_MS && !row->stays) {
            s->now = begun + LEFT_MS;
            say_end(s, id, row->path, 0);
            if (row->beside)
                say_end(s, other, row->path, 200);
            gone = true;
        }
        s->now = end;
        story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = row->stack,
              .task = task);
    }
    if (row->stays)
        say_end(s, id, row->path, 503);
    s->now = begun + EACH_MS;
}

static void prepare(struct story *s)
{
    story(s, stack,
          "send\t/usr/lib/python3/dist-packages/anyio/_backends/_asyncio.py\t9\n"
          "quote\t/srv/shop/prices.py\t12\n"
          "run_asgi\t/usr/lib/python3/dist-packages/uvicorn/protocols/http/h11_impl.py\t9\n"
          "Runner.run\t/usr/lib/python3.11/asyncio/runners.py\t118",
          .stack = SERVED, .frames = 4);
    story(s, stack,
          "send\t/usr/lib/python3/dist-packages/anyio/_backends/_asyncio.py\t9\n"
          "warm\t/srv/shop/prices.py\t30\n"
          "Runner.run\t/usr/lib/python3.11/asyncio/runners.py\t118\n"
          "run\t/usr/lib/python3/dist-packages/uvicorn/server.py\t60",
          .stack = FREE, .frames = 4);
}

/* In calm times each place is used by the route, and answers. */
static void calm(struct story *s, const struct row *row)
{
    for (int i = 0; i < CALM; i++) {
        int64_t id = ++s->ids, conn = ++s->ids;

        story(s, unit_begin, row->path, .unit = id, .conn = id);
        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = row->stack,
              .task = id);
        story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1,
              .stack = row->stack, .task = id);
        s->now += 2;
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
              .latency_ns = 2 * STORY_MS, .stack = row->stack, .task = id);
        say_end(s, id, row->path, 200);
        s->now += 20;
    }
}

/* Many at once, two a second: whose task is which only the recorder can tell. */
struct crowd {
    const char *name, *expected;
    bool told;    /* it was seen what began each task */
    int for_ms;   /* how long each asks on, a second a try */
    int stays_at; /* this client waits, and is answered in the end; 0 none */
    int stays_ms;
};

static const struct crowd crowds[] = {
    {"all ask on", "fail", true, 12000, 0, 0},
    {"all ask on, for whom is not known", "unclear", false, 12000, 0, 0},
    {"all give up", "pass", true, 2000, 0, 0},
    {"all give up, for whom is not known", "not exercised", false, 2000, 0, 0},
    {"one is waited for, and goes on", "pass", true, 2000, 9, 14000},
};
enum { CROWD = 60, APART_MS = 500, TRY_MS = 1000, REST_MS = 300, STEP_MS = 50, TASK = 70000 };

static int lasts(const struct crowd *c, int i)
{
    return c->stays_at && i == c->stays_at ? c->stays_ms : c->for_ms;
}

/* What the i-th of them does `ms` after its request came in. */
static void crowd_step(struct story *s, const struct crowd *c, int i, int ms)
{
    static const struct row row = {.stack = SERVED};
    int64_t id = TASK + i, task = TASK + CROWD + i, try = ms % (TRY_MS + REST_MS);
    int64_t conn = TASK + (i + 2) * 100 + ms / (TRY_MS + REST_MS);
    bool stays = c->stays_at && i == c->stays_at;

    if (!ms) {
        story(s, unit_begin, "GET /product/7", .unit = id, .conn = id);
        if (c->told)
            story(s, begun, "", .piece = id, .what = 1, .task = task, .unit = id,
                  .thread = STORY_LOOP, .begun_at = story_at(s));
    }
    if (!try && ms < lasts(c, i))
        call(s, &row, conn, task);
    if (try == TRY_MS && ms - TRY_MS < lasts(c, i))
        story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = SERVED,
              .task = task);
    if (ms == LEFT_MS && !stays)
        say_end(s, id, "GET /product/7", 0);
    if (stays && ms == c->stays_ms + TRY_MS + REST_MS)
        story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 503, .task = task,
              .latency_ns = ms * STORY_MS, .retry_after_s = -1, .digest = 8);
}

static void come(struct story *s, const struct crowd *c)
{
    for (int64_t begun = s->now; s->now < begun + CROWD * APART_MS; s->now += STEP_MS)
        for (int i = 0; i < CROWD; i++)
            if (s->now - begun >= (int64_t)i * APART_MS)
                crowd_step(s, c, i, (int)(s->now - begun) - i * APART_MS);
}

static const char *judged(const struct row *row, const struct crowd *crowd)
{
    struct story s = {0};

    fault_ms = HANG_MS;
    story_open(&s, "a");
    prologue(&s);
    prepare(&s);
    calm(&s, row);
    s.now = CALM_MS;
    for (int i = 0; i < 3 && !crowd; i++)
        hit(&s, row);
    if (crowd)
        come(&s, crowd);
    s.now = HANG_MS + 1000;
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-2019");
}

static void clients(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i], NULL);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

static void many(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(crowds); i++) {
        const char *got = judged(&rows[0], &crowds[i]);

        if (strcmp(got, crowds[i].expected))
            fail_msg("%s: expected %s, got %s", crowds[i].name, crowds[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clients), cmocka_unit_test(many)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
