/* SPDX-License-Identifier: Apache-2.0 */
/* More behaviour for the grader's tests, by rule; see play.h. */
#pragma once

#include "play.h"

/* ---- MH-0102 ---- */
static inline void mistaken(struct story *s, struct answer *a)
{
    int64_t op = refuse(s, PRICES);

    story(s, outcome,
          "ConnectionRefusedError\tcreate_connection\t/usr/lib/python3.11/socket.py\t831", .op = op,
          .step = MH_STEP_born, .object = op, .source = MH_SOURCE_trace);
    story(s, outcome, "UnboundLocalError\t" IN_APP, .op = op, .step = MH_STEP_replaced,
          .object = op + 1, .source = MH_SOURCE_trace);
    story(s, outcome, "UnboundLocalError\t" IN_FRAMEWORK, .op = op, .step = MH_STEP_handled,
          .object = op + 1, .source = MH_SOURCE_trace);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
/* Raised on purpose, as "not found", and answered on purpose. */
static inline void mapped(struct story *s, struct answer *a)
{
    mistaken(s, a);
    a->status = 503;
}

/* ---- MH-0101, MH-0405 ---- */
static inline void no_room(struct story *s, struct answer *a)
{
    decided(s, a);
    a->status = 507;
}
static inline void cache_like(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
}
static inline void well_varied(struct story *s, struct answer *a)
{
    well(s, a);
    a->digest = s->ids;
}

/* ---- MH-1006 ---- */
static inline void log_at(struct story *s, struct answer *a, int level)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = level, .sink = 2);
    *a = (struct answer){.status = 503, .ms = 3, .digest = 9, .nkeys = 1, .retry_after = 5};
}
static inline void told_as_info(struct story *s, struct answer *a)
{
    log_at(s, a, MH_LEVEL_info);
}
static inline void printed(struct story *s, struct answer *a)
{
    log_at(s, a, MH_LEVEL_none);
}

/* ---- MH-2002 ---- */
static inline void needs_nobody(struct story *s, struct answer *a) {}
static inline void remembered(struct story *s, struct answer *a)
{
    *a = (struct answer){.status = 500, .ms = 1, .retry_after = -1};
}

/* ---- MH-0504 ---- */
static inline void varied(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++) {
        int pause = 60 + (int)(s->ids * 37 % 90);

        if (i) {
            story(s, sleep, "", .requested_ns = pause * STORY_MS, .stack = IN_PRICES);
            s->now += pause;
        }
        refuse(s, PRICES);
    }
    a->status = 503;
}

/* ---- MH-0507, MH-0508, MH-0509: requests that are the same, or not ---- */
enum { LOST = -1 };

/* One request on a connection of its own, and its answer: a status, or LOST after it was sent. */
static inline void exchange(struct story *s, const char *text, int64_t digest, int status,
                            int retry_after, bool keyed)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, text, .conn = conn, .peer = PRICES, .exchange = 1, .digest = digest,
          .idempotency_key = keyed, .stack = IN_PRICES);
    s->now += 2;
    if (status == LOST)
        caught(s, fault_at(s, MH_OP_recv, ECONNRESET, MH_EFFECT_error, PRICES, conn, 0), IN_APP);
    else
        story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = status,
              .latency_ns = 2 * STORY_MS, .retry_after_s = retry_after, .stack = IN_PRICES);
}
static inline void asks_404_thrice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        exchange(s, "GET /user/7", 5, 404, -1, false);
}
static inline void asks_404_once(struct story *s, struct answer *a)
{
    exchange(s, "GET /user/7", 5, 404, -1, false);
    a->status = 404;
}
/* The report is made; until then there is none. */
static inline void polls(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++)
        exchange(s, "GET /report/7", 5, i < 3 ? 404 : 200, -1, false);
}
static inline void posts(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, 200, -1, false);
}
static inline void posts_again(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, false);
    posts(s, a);
}
/* Lost, and the answer is the usual one: who caught what is not known. */
static inline void posts_for_nobody(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, false);
}
static inline void posts_once(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, false);
    a->status = 503;
}
static inline void posts_keyed(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, true);
    exchange(s, "POST /pay", 8, 200, -1, true);
}
/* Several items, whose requests begin alike. */
static inline void posts_list(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        posts(s, a);
}
static inline void posts_list_lost(struct story *s, struct answer *a)
{
    exchange(s, "POST /pay", 8, LOST, -1, false);
    posts(s, a);
    posts(s, a);
}
static inline void hurries(struct story *s, struct answer *a)
{
    exchange(s, "GET /json", 6, 503, 5, false);
    s->now += 100;
    exchange(s, "GET /json", 6, 503, 5, false);
}
static inline void gives_up(struct story *s, struct answer *a)
{
    exchange(s, "GET /json", 6, 503, 5, false);
}
/* The next request is another one. */
static inline void asks_another(struct story *s, struct answer *a)
{
    exchange(s, "GET /json", 6, 503, 5, false);
    exchange(s, "GET /other", 7, 200, -1, false);
}

/* ---- MH-0301, MH-0302 ---- */
static int breaker_failures;

static inline void breaker(struct story *s, struct answer *a)
{
    if (breaker_failures++ < 5)
        decided(s, a);
    else
        *a = (struct answer){.status = 503, .ms = 1, .retry_after = 5};
}
/* Every tenth asks; the others wait for a pool in vain. */
static inline void pool_is_empty(struct story *s, struct answer *a)
{
    if (breaker_failures++ % 10 == 0)
        decided(s, a);
    else
        *a = (struct answer){.status = 503, .ms = 300, .retry_after = 5};
}

/* ---- MH-0402 ---- */
static inline void is_slow(struct story *s, struct answer *a)
{
    a->ms = 600;
}

/* ---- MH-0404 ---- */
static inline void well_long(struct story *s, struct answer *a)
{
    well(s, a);
    a->bytes = 4000;
}
static inline void cut_short(struct story *s, struct answer *a)
{
    swallowed(s, a);
    a->digest = 5;
    a->bytes = 2;
}
static inline void cut_short_told(struct story *s, struct answer *a)
{
    cut_short(s, a);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
}
static inline void swallowed_long(struct story *s, struct answer *a)
{
    swallowed(s, a);
    a->bytes = 4000;
}

/* ---- MH-0602, MH-0603 ---- */
static inline void limit_60s(struct story *s, struct answer *a)
{
    wait_for(s, 60000, MH_CALL_poll, 1);
}
static inline void connects_blocking(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .timeout_ns = -1,
          .stack = IN_PRICES);
}
/* A loop's wait has the loop's own limit, not the request's. */
static inline void loop_60s(struct story *s, struct answer *a)
{
    wait_for(s, 60000, MH_CALL_epoll_wait, 4);
}
static inline void waits_out(struct story *s, const char *text)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, text, .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    s->now += 20;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = 20 * STORY_MS, .waited_ns = 20 * STORY_MS, .ready = 0, .blocking = 1,
          .stack = IN_PRICES);
}
static inline void times_out(struct story *s, struct answer *a)
{
    waits_out(s, "GET /json");
}
/* The application is ill with it, without any fault. */
static inline void times_out_badly(struct story *s, struct answer *a)
{
    waits_out(s, "GET /json");
    a->status = 503;
}
static inline void queue_is_empty(struct story *s, struct answer *a)
{
    waits_out(s, "BLPOP");
}
static inline void asks_ten_times(struct story *s, struct answer *a)
{
    for (int i = 0; i < 10; i++)
        ask_at(s, PRICES, 0, 2);
}

/* ---- MH-1003 ---- */
static inline void records(struct story *s, struct answer *a, int n)
{
    decided(s, a);
    for (int i = 1; i < n; i++)
        story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2, .same = 9);
}
static inline void records_12(struct story *s, struct answer *a)
{
    records(s, a, 12);
}
static inline void records_1(struct story *s, struct answer *a)
{
    records(s, a, 2);
}
/* An access log: one equal line for each request, and no report. */
static inline void access_lines(struct story *s, struct answer *a)
{
    decided(s, a);
    for (int i = 0; i < 30; i++)
        story(s, log, "10.0.0.77:40112", .level = MH_LEVEL_info, .sink = 2, .same = 4);
}

/* ---- MH-2005 ---- */
static inline void looks_up(struct story *s, struct answer *a, const char *name, bool aside)
{
    a->task = ++s->ids;
    if (aside)
        s->tid = 300;
    s->now += 30;
    story(s, dns, name, .wait_ns = 30 * STORY_MS, .stack = IN_PRICES, .task = aside ? 0 : a->task);
    s->tid = WORKER;
    ask_at(s, PRICES, a->task, 2);
}
static inline void looks_up_itself(struct story *s, struct answer *a)
{
    looks_up(s, a, "prices.example", false);
}
static inline void looks_up_aside(struct story *s, struct answer *a)
{
    looks_up(s, a, "prices.example", true);
}
static inline void looks_up_address(struct story *s, struct answer *a)
{
    looks_up(s, a, "127.0.0.1", false);
}

/* ---- MH-0506: nine tries, and who caught the error of each ---- */
static inline void nine(struct story *s, struct answer *a, int each)
{
    for (int i = 0; i < 9; i++) {
        if (i)
            s->now += 60;
        caught(s, refuse(s, PRICES),
               (i + 1) % each
                   ? "Session.get\t/usr/lib/python3/dist-packages/requests/sessions.py\t9"
                   : IN_APP);
    }
    a->status = 503;
}
static inline void three_by_three(struct story *s, struct answer *a)
{
    nine(s, a, 3);
}
static inline void nine_by_one(struct story *s, struct answer *a)
{
    nine(s, a, 9);
}
/* Three items, and three tries for each. */
static inline void asks_thrice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        ask_at(s, PRICES, 0, 2);
}
/* Nobody knows who caught what. */
static inline void nine_unseen(struct story *s, struct answer *a)
{
    tries(s, 9, 60);
    a->status = 503;
}

/* ---- MH-1002, MH-1004 ---- */
static inline void told_nothing(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "", .level = MH_LEVEL_warning, .sink = 2);
    a->status = 503;
}
static inline void told_which(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "", .level = MH_LEVEL_warning, .sink = 2, .ident = 1);
    a->status = 503;
}
enum { LOG_FILE = 1, DATA_FILE = 2 };
static inline void writes(struct story *s, int path, int err, int64_t delay_ms)
{
    static int64_t ordinal;

    story(s, path, path == LOG_FILE ? "/srv/shop/shop.log" : "/srv/shop/orders.db", .path = path);
    story(s, op, "", .op = ++s->ids, .kind = MH_OP_write, .call = MH_CALL_write, .path = path,
          .result = err ? -1 : 10, .err = err, .wait_ns = -1, .fault = 1,
          .effect = (err ? MH_EFFECT_error : MH_EFFECT_delay) + 1, .delay_ns = delay_ms * STORY_MS,
          .ordinal = ordinal++, .stack = IN_STOCK);
}
static inline void log_is_slow(struct story *s, struct answer *a)
{
    writes(s, LOG_FILE, 0, 400);
    a->ms = 404;
}
static inline void log_is_slow_aside(struct story *s, struct answer *a)
{
    writes(s, LOG_FILE, 0, 400);
}
static inline void log_is_full(struct story *s, struct answer *a)
{
    writes(s, LOG_FILE, ENOSPC, 0);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
static inline void store_is_slow(struct story *s, struct answer *a)
{
    writes(s, DATA_FILE, 0, 400);
    a->ms = 404;
}

/* ---- MH-0505 ---- */
static inline void fails_thrice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++) {
        caught(s, refuse(s, PRICES), IN_APP);
        s->now += 20;
    }
    a->status = 503;
}

/* ---- MH-0403 ---- */
static inline void later(struct story *s, struct answer *a)
{
    well(s, a);
    a->ms = 400;
}
static inline void too_late(struct story *s, struct answer *a)
{
    well(s, a);
    a->ms = 1500;
}
