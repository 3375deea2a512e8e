/* SPDX-License-Identifier: Apache-2.0 */
/* What ends by nothing of its own: calls of workers whose supervisor ends them (MH-0605), waits for
 * a turn at a pool (MH-0608), tries whose caller leaves (MH-0502, 0503), and requests that another
 * failure than the injected one ends. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
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

static const char *said(struct story *s, const char *rule)
{
    static char got[64];
    json_t *document = grade_story(s);
    const json_t *f = finding(document, rule);

    snprintf(got, sizeof(got), "%s%s%s", verdict(document, rule), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(s);
    return got;
}

/* ---- MH-0605: a worker is ended in a call whose limit is longer ---- */

enum { SUPERVISOR = 100, FIRST = 101, OTHERS = 99, WATCH_MS = 3000 };

struct watched {
    const char *expected;
    int workers;   /* that are ended one after the other */
    int limit_ms;  /* of the call */
    int signal;    /* 0 none */
    int sender;    /* 0: who forked them */
    bool told;     /* somebody told the supervisor something before */
    bool aside;    /* the call is not the main thread's */
    bool answered; /* the call had come back when it was ended */
};

static void ended_in_call(struct story *s, const struct watched *w, int i)
{
    int pid = FIRST + i;
    int64_t id, conn;

    s->born = 0;
    s->pid = pid;
    story_open(s, (char[]){(char)('a' + i), 0});
    story(s, process, "uvicorn shop:app", .pid = pid, .ppid = SUPERVISOR, .forked = 1,
          .started_at = STORY_MONO, .wall_ns = STORY_WALL, .python = 0x030b02f0);
    prologue(s);
    s->tid = (uint32_t)(w->aside ? WORKER : pid);
    for (int k = 0; k < CALM; k++)
        unit(s, well, 10);
    s->now = CALM_MS + 10;
    id = ++s->ids;
    conn = ++s->ids;
    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = w->limit_ms * STORY_MS, .pending = 1, .fds = 1, .stack = IN_PRICES);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
    if (w->answered) {
        s->now += 500;
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
              .latency_ns = 500 * STORY_MS, .stack = IN_PRICES);
        s->now -= 500;
        ask_at(s, OTHER, 0, 2);
    }
    s->now += WATCH_MS;
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .latency_ns = WATCH_MS * STORY_MS,
          .how = 2, .retry_after_s = -1);
    story_close(s);
}

static void supervisor(struct story *s)
{
    s->born = 0;
    s->pid = SUPERVISOR;
    story_open(s, "parent");
    prologue(s);
    story(s, listening, "127.0.0.1", .fd = 3, .port = 8000, .backlog = 100);
    s->now = 20000;
    story_close(s);
}

static void kernel(struct story *s, const struct watched *w)
{
    s->born = 0;
    s->pid = OTHERS;
    story_open(s, "mishap");
    s->now = 20000;
    story(s, kernel, "", .loaded = 12, .programs = 12);
    if (w->told)
        story(s, kernel_signal, "python3\nbash", .pid = SUPERVISOR, .signal = SIGHUP, .sender = 7,
              .sent_at = STORY_MONO + CALM_MS * STORY_MS);
    for (int i = 0; i < w->workers && w->signal; i++)
        story(s, kernel_signal, "python3\npython3", .pid = FIRST + i, .signal = w->signal,
              .sender = w->sender ? w->sender : SUPERVISOR,
              .sent_at = STORY_MONO + (CALM_MS + 10 + WATCH_MS) * STORY_MS);
    story_close(s);
}

static const char *watched(const struct watched *w)
{
    struct story s = {0};

    fault_ms = CALM_MS + 9000;
    supervisor(&s);
    for (int i = 0; i < w->workers; i++)
        ended_in_call(&s, w, i);
    kernel(&s, w);
    fault_ms = FAULT_MS;
    return said(&s, "MH-0605");
}

static void supervisors(void **state)
{
    static const struct watched rows[] = {
        {"fail Medium", .workers = 3, .limit_ms = 10000, .signal = SIGABRT},
        {"fail Medium", .workers = 3, .limit_ms = 10000, .signal = SIGKILL},
        {"not exercised", .workers = 1, .limit_ms = 10000, .signal = SIGABRT},
        {"not exercised", .workers = 3, .limit_ms = 10000, .signal = SIGTERM},
        {"not exercised", .workers = 3, .limit_ms = 10000}, /* nobody knows why they ended */
        {"not exercised", .workers = 3, .limit_ms = 10000, .signal = SIGABRT, .sender = 7},
        {"not exercised", .workers = 3, .limit_ms = 10000, .signal = SIGABRT, .told = true},
        {"not exercised", .workers = 3, .limit_ms = 10000, .signal = SIGABRT, .aside = true},
        {"not exercised", .workers = 3, .limit_ms = 10000, .signal = SIGABRT, .answered = true},
        /* it would have come back in time */
        {"not exercised", .workers = 3, .limit_ms = WATCH_MS, .signal = SIGABRT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = watched(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("row %zu: expected %s, got %s", i, rows[i].expected, got);
    }
}

/* ---- MH-0608: who waits for its turn ---- */

enum { IN_QUEUE = 20, IN_OWN_LOCK = 21, PLACES = 2, ROUNDS = 4, CALL_MS = 2000 };

struct turn {
    const char *name, *expected;
    int stack, places;
    bool limited;
    bool elsewhere; /* it was let go by who made no call */
    bool content;   /* and asked nothing then */
};

static void begins(struct story *s, int64_t id, int tid)
{
    s->tid = (uint32_t)tid;
    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
}

static void asks(struct story *s, int64_t id, int tid, bool held)
{
    s->tid = (uint32_t)tid;
    story(s, connect, "", .conn = id, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = id, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    if (held)
        fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, PRICES, id, 0);
}

static void ends(struct story *s, int64_t id, int tid, int64_t begun, bool asked)
{
    s->tid = (uint32_t)tid;
    if (asked)
        story(s, response, "", .conn = id, .peer = PRICES, .exchange = 1, .status = 200,
              .latency_ns = 2 * STORY_MS, .stack = IN_PRICES);
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 200,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1,
          .begun_at = STORY_MONO + begun * STORY_MS);
}

/* All places are taken, one more comes, and has its turn when the first of them is free. */
static void round_of(struct story *s, const struct turn *t)
{
    int64_t inside[PLACES], late = ++s->ids, begun = s->now;

    for (int i = 0; i < t->places; i++) {
        inside[i] = ++s->ids;
        begins(s, inside[i], 300 + i);
        asks(s, inside[i], 300 + i, true);
    }
    begins(s, late, 400);
    s->now += CALL_MS;
    for (int i = 0; i < t->places; i++)
        ends(s, inside[i], 300 + i, begun, true);
    s->now++;
    s->tid = 400;
    story(s, locked, "", .call = MH_CALL_sem_wait, .waited_ns = CALL_MS * STORY_MS,
          .limited = t->limited, .got = 1, .by = t->elsewhere ? 999 : 300, .stack = t->stack);
    if (!t->content)
        asks(s, late, 400, false);
    s->now += 2;
    ends(s, late, 400, begun, !t->content);
    s->now += 200;
}

static const char *turns(const struct turn *t)
{
    struct story s = {0};
    int64_t begun;

    fault_ms = CALM_MS + 20000;
    story_open(&s, "a");
    prologue(&s);
    fault_ms = FAULT_MS;
    story(&s, stack,
          "Condition.wait\t/usr/lib/python3.11/threading.py\t320\nquote\t/srv/shop/prices.py\t9",
          .stack = IN_QUEUE, .frames = 2);
    story(&s, stack, "quote\t/srv/shop/prices.py\t9\nproduct\t/srv/shop/api.py\t58",
          .stack = IN_OWN_LOCK, .frames = 2);
    for (int i = 0; i < 20; i++) {
        int64_t a = ++s.ids;

        begun = s.now;
        begins(&s, a, 300);
        asks(&s, a, 300, false);
        s.now += 10;
        ends(&s, a, 300, begun, true);
    }
    s.now = CALM_MS;
    for (int i = 0; i < ROUNDS; i++)
        round_of(&s, t);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return said(&s, "MH-0608");
}

static void pools(void **state)
{
    static const struct turn rows[] = {
        {"a queue, no limit", "fail High", IN_QUEUE, PLACES},
        {"a queue, a limit", "unclear", IN_QUEUE, PLACES, .limited = true},
        {"a lock of one's own", "unclear", IN_OWN_LOCK, PLACES},
        {"one place", "unclear", IN_QUEUE, 1},
        {"let go by nobody that called", "unclear", IN_QUEUE, PLACES, .elsewhere = true},
        {"it waited for an answer", "unclear", IN_QUEUE, PLACES, .content = true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = turns(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

/* ---- MH-0503: who ends the tries? ---- */

static void tries_of(struct story *s, int n, int64_t task)
{
    for (int i = 0; i < n; i++) {
        int64_t conn = ++s->ids;

        fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, PRICES, conn, task);
        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .err = ECONNREFUSED,
              .stack = IN_PRICES, .task = task);
        s->now += 2;
    }
}

static unsigned turn_number;

/* The first one has its way, the others' callers leave at once. */
static void left(struct story *s, struct answer *a, int64_t task, int tries)
{
    bool stays = turn_number++ % 4 == 0;

    a->task = task;
    tries_of(s, stays ? 120 : tries, task);
    if (stays)
        return;
    a->status = 0;
    a->how = 1;
}
static void coroutine_left(struct story *s, struct answer *a)
{
    left(s, a, 7000 + ++s->ids, 2);
}
static void thread_left(struct story *s, struct answer *a)
{
    left(s, a, 0, 2);
}
/* Most fail of what is not tried again. */
static void fails_at_once(struct story *s, struct answer *a)
{
    bool stays = turn_number++ % 4 == 0;

    tries_of(s, stays ? 120 : 1, 0);
    a->status = stays ? 200 : 500;
}

static void tries_end(void **state)
{
    static const struct play rows[] = {
        {"cancelled", "MH-0503", "fail", well, coroutine_left, .hits = 4},
        {"gave up, and nobody was there", "MH-0503", "unclear", well, thread_left, .hits = 4},
        {"other errors are not tried again", "MH-0503", "fail", well, fails_at_once, .hits = 4},
        {"nor tried without a pause", "MH-0502", "fail", well, fails_at_once, .hits = 4},
    };

    plays_hold(rows, ARRAY_SIZE(rows));
}

/* ---- MH-0504: whose pause is it? ---- */

enum { TRIES_IN = 30, RESTS_IN = 31, RESTS_OUT = 32, PARCELS = 4 };

static void rests(struct story *s, int stack, int ms)
{
    story(s, sleep, "", .requested_ns = ms * STORY_MS, .stack = stack);
    s->now += ms;
}

static void connects(struct story *s, bool refused)
{
    int64_t conn = ++s->ids;

    if (refused)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_connect, .call = MH_CALL_connect,
              .conn = conn, .peer = PRICES, .result = -1, .err = ECONNREFUSED, .wait_ns = -1,
              .fault = 1, .effect = MH_EFFECT_error + 1, .ordinal = s->ids, .stack = TRIES_IN,
              .side = 1);
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1,
          .err = refused ? ECONNREFUSED : 0, .stack = TRIES_IN);
}

/* A command tries each of its parcels four times, 800 ms apart, which is as long as it takes from
 * one to the next when all is well, and rests as long as it likes before the next one: in the
 * function that goes through them, or by what tries. */
static const char *parcels(int rests_in)
{
    struct story s = {0};

    fault_ms = CALM_MS + 20000;
    story_open(&s, "a");
    prologue(&s);
    fault_ms = FAULT_MS;
    story(&s, stack, "carry\t/srv/courier.py\t27\nrun\t/srv/courier.py\t19", .stack = TRIES_IN,
          .frames = 2);
    story(&s, stack, "carry\t/srv/courier.py\t31\nrun\t/srv/courier.py\t19", .stack = RESTS_IN,
          .frames = 2);
    story(&s, stack, "run\t/srv/courier.py\t20", .stack = RESTS_OUT, .frames = 1);
    s.tid = STORY_PID;
    for (; s.now < CALM_MS; s.now += 700 + s.now % 3)
        connects(&s, false);
    for (int i = 0; i < PARCELS; i++) {
        for (int k = 0; k < 4; k++) {
            connects(&s, true);
            rests(&s, RESTS_IN, 800);
        }
        rests(&s, rests_in, 300 + 170 * i);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return said(&s, "MH-0504");
}

static void pauses(void **state)
{
    assert_string_equal(parcels(RESTS_OUT), "fail Low");
    assert_string_not_equal(parcels(RESTS_IN), "fail Low");
}

/* ---- MH-0601: some calls of a place have a limit, others stand ---- */

static const char *stood(int times)
{
    struct story s = {0};
    int64_t ids[8], begun;

    fault_ms = CALM_MS + 60000;
    story_open(&s, "a");
    prologue(&s);
    fault_ms = FAULT_MS;
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well_task, 10);
    begun = s.now = CALM_MS;
    for (int i = 0; i < times; i++) {
        ids[i] = ++s.ids;
        story(&s, unit_begin, "GET /product/7", .unit = ids[i], .conn = ids[i]);
        story(&s, request, "GET /json", .conn = ids[i], .peer = PRICES, .exchange = 1,
              .stack = IN_PRICES, .task = ids[i], .unit = ids[i]);
        fault_at(&s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, ids[i], ids[i]);
    }
    for (int i = 0; i < 28; i++)
        unit(&s, refuses_in_time, 10);
    s.now = begun + 60010;
    for (int i = 0; i < times; i++)
        story(&s, unit_end, "GET /product/7", .unit = ids[i], .conn = ids[i], .task = ids[i],
              .status = 200, .latency_ns = (s.now - begun) * STORY_MS, .retry_after_s = -1,
              .begun_at = STORY_MONO + begun * STORY_MS);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return said(&s, "MH-0601");
}

static void hangs(void **state)
{
    assert_string_equal(stood(4), "fail High");
    assert_string_equal(stood(0), "pass");
}

/* ---- a failure overtaken by another ---- */

/* Refused, tried again, and not answered in time by a peer to which nothing was done. */
static void overtaken_by(struct story *s, struct answer *a, bool injected)
{
    int64_t conn;

    refuse(s, PRICES);
    s->now += 5;
    conn = ++s->ids;
    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    if (injected)
        fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, conn, 0);
    s->now += 100;
    story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    a->status = 500;
}
static void overtaken(struct story *s, struct answer *a)
{
    overtaken_by(s, a, false);
}
static void struck_twice(struct story *s, struct answer *a)
{
    overtaken_by(s, a, true);
}

/* Tried again with success, and answered late by a machine that has much to do. */
static void late(struct story *s, struct answer *a)
{
    refuse(s, PRICES);
    s->now += 5;
    ask_at(s, PRICES, 0, 2);
    s->now += 1200;
}
static void late_for_it(struct story *s, struct answer *a)
{
    refuse(s, PRICES);
    s->now += 1200;
    a->status = 503;
}

static void other_failures(void **state)
{
    static const struct play rows[] = {
        {"the next try was late", "MH-0101", "not exercised", well, overtaken},
        {"the next try was reset, too", "MH-0101", "fail", well, struck_twice},
        {"tried again", "MH-0501", "not exercised", well, overtaken, .spread = true},
        {"tried again, and late", "MH-0501", "pass", well, late, .spread = true, .hits = 2},
        {"late, and not tried again", "MH-0501", "fail", well, late_for_it, .spread = true,
         .hits = 2},
    };

    plays_hold(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(supervisors), cmocka_unit_test(pools), cmocka_unit_test(tries_end),
        cmocka_unit_test(pauses),      cmocka_unit_test(hangs), cmocka_unit_test(other_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
