/* SPDX-License-Identifier: Apache-2.0 */
/* Calls given to their units of work by who began what: tasks, and threads of a pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "story.h"

#include "base/banned.h"

static void begin(struct story *s, int64_t unit, const char *path)
{
    story(s, unit_begin, path, .unit = unit, .conn = 500 + unit);
}

static void end(struct story *s, int64_t unit, const char *path)
{
    story(s, unit_end, path, .unit = unit, .conn = 500 + unit, .status = 200,
          .begun_at = STORY_MONO, .retry_after_s = -1);
}

static void ask(struct story *s, int64_t conn, int64_t task)
{
    story(s, request, "", .conn = conn, .peer = 1, .exchange = 1, .task = task);
}

/* Which unit the n-th attempt was given to, by its path; "" for none. Never a guess. */
static void assert_owner(const struct mh_model *m, unsigned n, const char *path)
{
    const struct mh_act *a = m->acts.v;

    while (a->kind != MH_ACT_attempt || n--)
        a++;
    assert_string_equal(a->unit ? mh_model_text(m, m->units.v[a->unit - 1].path) : "", path);
    assert_false(a->ambiguous);
}

static void begun(struct story *s, int64_t piece, int64_t by, int64_t task, int64_t unit)
{
    story(s, begun, "", .piece = piece, .what = task ? 1 : 2, .by = by, .task = task, .unit = unit,
          .thread = STORY_LOOP, .begun_at = story_at(s));
}

/* It does where its work was seen to be handed over, and so do tasks: their calls are of the
 * request that began them, and background when that has ended. */
static void by_lineage(void **state)
{
    struct story s = {0};
    const char *const dirs[] = {s.dir};
    struct mh_model *m = NULL;

    story_open(&s, "a");
    story(&s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
    begin(&s, 1, "GET /a");
    begun(&s, 1, 0, 71, 1);
    begin(&s, 2, "GET /b");
    begun(&s, 4, 3, 81, 0); /* a grandchild, before what began it */
    begun(&s, 3, 2, 0, 0);
    begun(&s, 2, 0, 72, 2);
    begun(&s, 5, 1, 0, 0);
    s.now = 10;
    ask(&s, 1, 81);
    s.tid = 300; /* a thread of a pool: first for the one, then for the other, then for nobody */
    story(&s, serves, "", .piece = 5);
    ask(&s, 2, 0);
    story(&s, serves, "", .piece = 3);
    ask(&s, 3, 0);
    s.tid = STORY_LOOP;
    s.now = 20;
    end(&s, 2, "GET /b"); /* no task sent the answer: uvloop */
    s.now = 25;
    ask(&s, 4, 81);         /* only /a is in flight, and it is not that one's */
    begun(&s, 6, 0, 81, 0); /* another task with that number */
    ask(&s, 5, 81);
    s.now = 30;
    end(&s, 1, "GET /a");
    story_close(&s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_owner(m, 0, "GET /b");
    assert_owner(m, 1, "GET /a");
    assert_owner(m, 2, "GET /b");
    assert_owner(m, 3, "");
    assert_owner(m, 4, "GET /a");
    mh_model_free(m);
    story_remove(&s);
}

/* One task connects, and another one is the first to ask on that connection. A connect of somebody
 * else that went into a pool stays his; one that was begun for who asks becomes his. */
static void by_first_request(void **state)
{
    for (int mine = 0; mine < 2; mine++) {
        struct story s = {0};
        const char *const dirs[] = {s.dir};
        struct mh_model *m = NULL;

        story_open(&s, "a");
        story(&s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
        story(&s, stack, "get\t/srv/shop.py\t3", .stack = 1, .frames = 1);
        begin(&s, 1, "GET /a");
        begun(&s, 1, 0, 71, 1);
        begin(&s, 2, "GET /b");
        begun(&s, 2, 0, 72, 2);
        s.now = 10;
        if (mine)
            story(&s, begun, "", .piece = 3, .what = 1, .by = 2, .by_task = 72, .task = 71);
        story(&s, connect, "", .conn = 1, .peer = 1, .side = 1, .stack = 1, .task = 71);
        s.now = 15;
        story(&s, request, "", .conn = 1, .peer = 1, .exchange = 1, .stack = 1, .task = 72);
        s.now = 20;
        end(&s, 1, "GET /a");
        end(&s, 2, "GET /b");
        story_close(&s);
        assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
        assert_int_equal(m->peers.v[0].calls, mine ? 1 : 2);
        assert_owner(m, 0, mine ? "GET /b" : "GET /a");
        if (!mine)
            assert_owner(m, 1, "GET /b");
        mh_model_free(m);
        story_remove(&s);
    }
}

/* Of a request that became a WebSocket its task goes on in that, until it is closed. */
static void by_upgrade(void **state)
{
    struct story s = {0};
    const char *const dirs[] = {s.dir};
    struct mh_model *m = NULL;

    story_open(&s, "a");
    story(&s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
    begin(&s, 1, "GET /feed");
    begun(&s, 1, 0, 71, 1);
    s.now = 10;
    end(&s, 1, "GET /feed");
    story(&s, unit_begin, "WEBSOCKET /feed", .unit = 2, .conn = 501, .spoken = MH_SPOKEN_websocket,
          .upgraded = 1);
    s.now = 20;
    ask(&s, 1, 71);
    s.now = 30;
    ask(&s, 2, 91); /* whose this is is not known: not the one that is always in flight */
    s.now = 40;
    story(&s, unit_end, "", .unit = 2, .conn = 501, .begun_at = STORY_MONO + 10 * STORY_MS);
    s.now = 50;
    ask(&s, 3, 71);
    story_close(&s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_owner(m, 0, "WEBSOCKET /feed");
    assert_owner(m, 1, "");
    assert_owner(m, 2, "");
    mh_model_free(m);
    story_remove(&s);
}

/* Behind TLS: one route for all, a name by the code that was run, and the last word on its end. */
static void behind_tls(void **state)
{
    struct story s = {0};
    const char *const dirs[] = {s.dir};
    struct mh_model *m = NULL;

    story_open(&s, "a");
    story(&s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
    story(&s, stack, "get\t/srv/shop.py\t3\nproduct\t/srv/shop.py\t58", .stack = 1, .frames = 2);
    for (int64_t unit = 1; unit <= 2; unit++) {
        int64_t at = story_at(&s);

        story(&s, unit_begin, "", .unit = unit, .conn = 500, .spoken = MH_SPOKEN_tls);
        s.now += 10;
        if (unit == 1)
            story(&s, request, "", .conn = 1, .peer = 1, .exchange = 1, .stack = 1, .task = 71);
        story(&s, unit_end, "", .unit = unit, .conn = 500, .latency_ns = 10 * STORY_MS, .task = 71,
              .begun_at = at);
        s.now += 1000; /* the next request comes: then the end of this one is known */
        story(&s, unit_end, "", .unit = unit, .conn = 500, .latency_ns = 25 * STORY_MS, .task = 71,
              .begun_at = at, .again = 1);
    }
    story_close(&s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_int_equal(m->sealed, 2);
    assert_int_equal(m->routes.n, 1);
    assert_string_equal(mh_model_text(m, m->units.v[0].path), "TLS product");
    assert_string_equal(mh_model_text(m, m->units.v[1].path), "TLS");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(m->units.v[i].status, 0);
        assert_int_equal(m->units.v[i].ended - m->units.v[i].begun, 25 * STORY_MS);
        assert_false(m->units.v[i].open || mh_unit_failed(&m->units.v[i]));
    }
    mh_model_free(m);
    story_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_lineage),
        cmocka_unit_test(by_first_request),
        cmocka_unit_test(by_upgrade),
        cmocka_unit_test(behind_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
