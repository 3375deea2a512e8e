/* SPDX-License-Identifier: Apache-2.0 */
/* The place of the application that a library's call serves, and what is a message of parting. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "model/model.h"
#include "story.h"

#include "base/banned.h"

enum { DB = 1, LIBRARY = 1, CART = 2, ITEM = 3, LOOP = 4, COROUTINE = 5 };

#define RUN                                                                                        \
    "BaseEventLoop._run_once\t/usr/lib/python3.11/asyncio/base_events.py\t1922\n"                  \
    "<module>\t/srv/shop/app.py\t3"

static void prologue(struct story *s)
{
    story_open(s, "a");
    story(s, peer, "db\n10.0.0.5", .peer = DB, .family = 2, .port = 5432, .side = 1);
    story(s, stack, "connect\t/usr/lib/python3/dist-packages/anyio/sockets.py\t9", .stack = LIBRARY,
          .frames = 1);
    story(s, stack, "cart\t/srv/shop/carts.py\t8", .stack = CART, .frames = 1);
    story(s, stack, "item\t/srv/shop/items.py\t8", .stack = ITEM, .frames = 1);
    story(s, stack, "read\t/usr/lib/python3/dist-packages/redis/connection.py\t9\n" RUN,
          .stack = LOOP, .frames = 3);
    story(s, stack, "cart\t/srv/shop/carts.py\t8\n" RUN, .stack = COROUTINE, .frames = 3);
}

static struct mh_model *load(struct story *s)
{
    const char *const dirs[] = {s->dir};
    struct mh_model *m = NULL;

    story_close(s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    return m;
}

static const char *route = "GET /a";

static void begin(struct story *s, int64_t unit)
{
    story(s, unit_begin, route, .unit = unit, .conn = 500 + unit);
}

static void end(struct story *s, int64_t unit)
{
    s->now += 5;
    story(s, unit_end, route, .unit = unit, .conn = 500 + unit, .status = 200,
          .latency_ns = 5 * STORY_MS, .begun_at = story_at(s) - 5 * STORY_MS, .retry_after_s = -1);
}

static void connect_refused(struct story *s, int64_t conn, int64_t unit)
{
    story(s, connect, "", .conn = conn, .peer = DB, .side = 1, .err = ECONNREFUSED,
          .stack = LIBRARY, .unit = unit);
}

static void ask(struct story *s, int64_t conn, int64_t unit, int64_t stack)
{
    story(s, request, "", .conn = conn, .peer = DB, .exchange = 2, .stack = stack, .unit = unit);
}

/* The function at the place of the first attempt of that unit; "" none. */
static const char *place(const struct mh_model *m, uint32_t unit)
{
    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->kind == MH_ACT_attempt && a->unit == unit)
            return a->site ? mh_model_text(m, m->sites.v[a->site - 1].frames[0].function) : "";
    }
    fail();
    return "";
}

static void of_another_request(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    prologue(&s);
    begin(&s, 1);
    connect_refused(&s, 1, 1);
    end(&s, 1);
    begin(&s, 2);
    ask(&s, 2, 2, ITEM);
    end(&s, 2);
    m = load(&s);
    assert_string_equal(place(m, 1), "item");
    mh_model_free(m);
    story_remove(&s);
}

/* Where requests of that kind never ask from a place of the application's, it is the library's. */
static void of_another_route(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    prologue(&s);
    route = "GET /b";
    begin(&s, 1);
    connect_refused(&s, 1, 1);
    end(&s, 1);
    route = "GET /a";
    begin(&s, 2);
    ask(&s, 2, 2, ITEM);
    end(&s, 2);
    m = load(&s);
    assert_string_equal(place(m, 1), "connect");
    mh_model_free(m);
    story_remove(&s);
}

/* Two places ask that peer: only a request that asks it from one of them tells. */
static void of_its_own_request(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    prologue(&s);
    begin(&s, 1);
    connect_refused(&s, 1, 1);
    end(&s, 1);
    begin(&s, 2);
    ask(&s, 2, 2, ITEM);
    end(&s, 2);
    begin(&s, 3);
    connect_refused(&s, 3, 3);
    ask(&s, 4, 3, CART);
    end(&s, 3);
    m = load(&s);
    assert_string_equal(place(m, 1), "connect");
    assert_string_equal(place(m, 3), "cart");
    mh_model_free(m);
    story_remove(&s);
}

/* The module that runs the loop asks nobody; the coroutine that the loop runs does. */
static void of_a_loop(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    prologue(&s);
    begin(&s, 1);
    ask(&s, 1, 1, LOOP);
    end(&s, 1);
    begin(&s, 2);
    ask(&s, 2, 2, COROUTINE);
    end(&s, 2);
    m = load(&s);
    assert_string_equal(place(m, 1), "cart");
    assert_string_equal(place(m, 2), "cart");
    mh_model_free(m);
    story_remove(&s);
}

/* What a pool does for nobody stays the library's. */
static void of_background(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    prologue(&s);
    begin(&s, 1);
    ask(&s, 1, 1, ITEM);
    end(&s, 1);
    s.now += 50;
    s.tid += 3;
    connect_refused(&s, 2, 0);
    m = load(&s);
    assert_string_equal(place(m, 0), "connect");
    mh_model_free(m);
    story_remove(&s);
}

/* A run has the name of what was run, wherever that lies and whatever it is told. */
static void of_a_run(void **state)
{
    static const char *const names[][2] = {
        {"/usr/bin/python3 /srv/jobs/sums.py --day 7", "run sums.py"},
        {"python3 -u -m shop.sums now", "run -m shop.sums"},
        {"/usr/bin/python3.11 -c print(1)", "run python3.11 -c"},
        {"/srv/venv/bin/celery -A shop worker", "run celery"},
        {"python3", "run python3"},
        {"python3 -u", "run python3"},
        {"", "run"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct story s = {0};
        struct mh_model *m;

        prologue(&s);
        story(&s, process, names[i][0], .pid = 3000, .started_at = STORY_MONO,
              .wall_ns = STORY_WALL, .python = 0x030b02f0);
        story(&s, exit, "", .status = 0);
        m = load(&s);
        assert_string_equal(mh_model_text(m, m->routes.v[m->units.v[0].route - 1].name),
                            names[i][1]);
        mh_model_free(m);
        story_remove(&s);
    }
}

enum { TERMINATE = 900, QUERY = 901 };

static void say(struct story *s, int64_t conn, int64_t exchange, int64_t digest, bool eof)
{
    story(s, request, "", .conn = conn, .peer = DB, .exchange = exchange, .digest = digest,
          .stack = ITEM);
    s->now++;
    story(s, response, "", .conn = conn, .peer = DB, .exchange = exchange, .eof = eof,
          .latency_ns = STORY_MS);
}

static unsigned failures(const struct mh_model *m)
{
    unsigned n = 0;

    for (size_t i = 0; i < m->acts.n; i++)
        n += m->acts.v[i].kind == MH_ACT_attempt && m->acts.v[i].failed;
    return n;
}

/* `conns` connections that served, and then were ended by the peer after the same message. */
static unsigned parting(int conns, bool answered_elsewhere, bool fresh)
{
    struct story s = {0};
    struct mh_model *m;
    unsigned ret;

    prologue(&s);
    begin(&s, 1); /* a server: the run is not one unit of work */
    end(&s, 1);
    for (int i = 1; i <= conns; i++) {
        say(&s, i, 1, QUERY, false);
        say(&s, i, 2, TERMINATE, true);
    }
    if (answered_elsewhere)
        say(&s, 90, 1, TERMINATE, false);
    if (fresh)
        say(&s, 91, 1, TERMINATE, true);
    m = load(&s);
    ret = failures(m);
    mh_model_free(m);
    story_remove(&s);
    return ret;
}

static void farewells(void **state)
{
    assert_int_equal(parting(3, false, false), 0);
    assert_int_equal(parting(1, false, false), 1); /* once may be chance */
    assert_int_equal(parting(3, true, false), 3);
    assert_int_equal(parting(3, false, true), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_another_request), cmocka_unit_test(of_another_route),
        cmocka_unit_test(of_its_own_request), cmocka_unit_test(of_a_loop),
        cmocka_unit_test(of_background),      cmocka_unit_test(of_a_run),
        cmocka_unit_test(farewells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
