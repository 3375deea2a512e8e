/* SPDX-License-Identifier: Apache-2.0 */
/* A small shop for the grader's tests: how it behaves in a request, in calm and under fault. Only
 * the tests of the grader include it. */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "base/macros.h"
#include "story.h"
#include "table/table.h"

enum { PRICES = 1, REDIS = 2, OTHER = 3, PRICES_TOO = 4, STORE = 5, WORKER = 200 };
enum { IN_PRICES = 1, IN_CACHE = 2, IN_CARTS = 3, IN_STOCK = 4 };
enum { CALM = 30, HIT = 12, CALM_MS = 3000, FAULT_MS = 6000, RECOVERED_MS = 46000 };

/* How an application behaves in one request under fault; the fields of the request that it answers.
 */
struct answer {
    int status, ms, how;
    int64_t digest, nkeys, retry_after, task, bytes;
};
typedef void behave(struct story *s, struct answer *a);

struct play {
    const char *name, *rule, *expected;
    behave *calm, *hit, *later;
    int peer, hits;
    int64_t recovery_ms; /* how long it is watched after the fault */
    bool spread;         /* the fault hits every fifth operation only */
};

static const char redis_cache[] =
    "Connection.send\t/usr/lib/python3/dist-packages/redis/connection.py\t700\n"
    "cached_page\t/srv/shop/pages.py\t31\nproduct\t/srv/shop/api.py\t58";
static const char redis_store[] =
    "Connection.send\t/usr/lib/python3/dist-packages/redis/connection.py\t700\n"
    "cart\t/srv/shop/carts.py\t8";
static const char plain[] =
    "create_connection\t/usr/lib/python3.11/socket.py\t831\n"
    "Session.get\t/usr/lib/python3/dist-packages/requests/sessions.py\t600\n"
    "quote\t/srv/shop/prices.py\t12\nproduct\t/srv/shop/api.py\t58";

/* When the fault ends. */
static int64_t fault_ms = FAULT_MS;

/* Do requests come by TLS? Then their records say no more than when. */
static bool by_tls;

static inline void prologue(struct story *s)
{
    story(s, fault, "broken\nbad.ini\nit is broken", .fault = 0, .line = 3);
    story(s, phase, "calm", .phase = 0, .for_ns = CALM_MS * STORY_MS);
    story(s, phase, "bad\nbroken", .phase = 1, .start_ns = CALM_MS * STORY_MS,
          .for_ns = (fault_ms - CALM_MS) * STORY_MS);
    story(s, phase, "after", .phase = 2, .start_ns = fault_ms * STORY_MS);
    story(s, peer, "prices\n10.0.0.1", .peer = PRICES, .family = 2, .port = 8443, .side = 1);
    story(s, peer, "redis\n10.0.0.2", .peer = REDIS, .family = 2, .port = 6379, .side = 1);
    story(s, peer, "stock\n10.0.0.3", .peer = OTHER, .family = 2, .port = 8444, .side = 1);
    story(s, peer, "prices\n10.0.0.9", .peer = PRICES_TOO, .family = 2, .port = 8443, .side = 1);
    story(s, stack, plain, .stack = IN_PRICES, .frames = 4);
    story(s, stack, redis_cache, .stack = IN_CACHE, .frames = 3);
    story(s, peer, "carts\n10.0.0.5", .peer = STORE, .family = 2, .port = 7379, .side = 1);
    story(s, stack, redis_store, .stack = IN_CARTS, .frames = 2);
    story(s, stack, "stock\t/srv/shop/stock.py\t9", .stack = IN_STOCK, .frames = 1);
    story(s, log, "", .level = MH_LEVEL_info, .sink = 2);
}

static inline int stack_of(int peer)
{
    static const int stacks[] = {0, IN_PRICES, IN_CACHE, IN_STOCK, IN_PRICES, IN_CARTS};

    return stacks[peer];
}

/* A call that goes well, on a connection of its own; `text` as the recorder gives it. */
static inline void ask_as(struct story *s, int peer, int64_t task, int ms, const char *text)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = peer, .side = 1, .stack = stack_of(peer),
          .task = task);
    story(s, request, text, .conn = conn, .peer = peer, .exchange = 1, .stack = stack_of(peer),
          .task = task);
    s->now += ms;
    story(s, response, "", .conn = conn, .peer = peer, .exchange = 1, .latency_ns = ms * STORY_MS,
          .status = (peer == REDIS || peer == STORE) ? 0 : 200, .stack = stack_of(peer),
          .task = task);
}

static inline void ask_at(struct story *s, int peer, int64_t task, int ms)
{
    ask_as(s, peer, task, ms, (peer == REDIS || peer == STORE) ? "" : "GET /json");
}

static inline int64_t fault_at(struct story *s, enum mh_op_kind kind, int err,
                               enum mh_effect effect, int peer, int64_t conn, int64_t task)
{
    static int64_t ordinal;
    int64_t op = ++s->ids;

    story(s, op, "", .op = op, .kind = kind, .call = MH_CALL_connect, .conn = conn, .peer = peer,
          .result = err ? -1 : 0, .err = err, .wait_ns = -1, .fault = 1, .effect = effect + 1,
          .delay_ns = effect == MH_EFFECT_delay ? 500 * STORY_MS : 0, .ordinal = ordinal,
          .stack = stack_of(peer), .task = task, .side = 1, .exchange = 1, .nonblocking = 1);
    ordinal += s->tid == WORKER + 1 ? 5 : 1; /* WORKER + 1: the fault is spread */
    return op;
}

static inline void caught(struct story *s, int64_t op, const char *where)
{
    char text[300];

    snprintf(text, sizeof(text), "ConnectionRefusedError\t%s", where);
    story(s, outcome,
          "ConnectionRefusedError\tcreate_connection\t/usr/lib/python3.11/socket.py\t831", .op = op,
          .step = MH_STEP_born, .object = op, .source = MH_SOURCE_trace);
    story(s, outcome, text, .op = op, .step = MH_STEP_handled, .object = op,
          .source = MH_SOURCE_trace);
}

#define IN_APP "quote\t/srv/shop/prices.py\t14"
#define IN_FRAMEWORK                                                                               \
    "ServerErrorMiddleware.__call__\t/usr/lib/python3/dist-packages/starlette/errors.py\t162"
#define IN_LIBRARY "Retry.call\t/usr/lib/python3/dist-packages/redis/retry.py\t46"

static inline int64_t refuse(struct story *s, int peer)
{
    int64_t conn = ++s->ids;
    int64_t op = fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, peer, conn, 0);

    story(s, connect, "", .conn = conn, .peer = peer, .side = 1, .err = ECONNREFUSED,
          .stack = stack_of(peer));
    return op;
}

static inline void well(struct story *s, struct answer *a)
{
    ask_at(s, PRICES, a->task, 2);
}

static inline void well_redis(struct story *s, struct answer *a)
{
    ask_at(s, REDIS, a->task, 2);
}

/* ---- MH-0101 ---- */
static inline void uncontrolled(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
/* Two calls from two places; the first is tried so hastily that another rule speaks, too. */
static inline void uncontrolled_twice(struct story *s, struct answer *a)
{
    for (int i = 0; i < 5; i++)
        refuse(s, OTHER);
    caught(s, refuse(s, OTHER), IN_FRAMEWORK);
    uncontrolled(s, a);
}
static inline void decided(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    *a = (struct answer){.status = 503, .ms = 3, .digest = 9, .nkeys = 1, .retry_after = 5};
}
static inline void bad_anyway(struct story *s, struct answer *a)
{
    ask_at(s, PRICES, 0, 2);
    a->status = 404;
}

/* ---- MH-0103, MH-1001 ---- */
static inline void swallowed(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_APP);
}
static inline void told(struct story *s, struct answer *a)
{
    swallowed(s, a);
    s->tid = 900; /* a QueueListener's thread, a little later */
    s->now += 20;
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    s->tid = WORKER;
}
/* A record for each failure, each written while the next request is served. */
static inline void told_late(struct story *s, struct answer *a)
{
    s->now += 2;
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
    s->now += 2;
}
static inline void swallowed_told_late(struct story *s, struct answer *a)
{
    told_late(s, a);
    swallowed(s, a);
}
/* An access log names its client, not the failure. */
static inline void access_log(struct story *s, struct answer *a)
{
    swallowed(s, a);
    story(s, log, "10.0.0.77:40112", .level = MH_LEVEL_info, .sink = 2);
}
static inline void fell_back(struct story *s, struct answer *a)
{
    swallowed(s, a);
    ask_at(s, OTHER, 0, 2);
}
static inline void mended(struct story *s, struct answer *a)
{
    caught(s, refuse(s, PRICES), IN_LIBRARY);
    ask_at(s, PRICES, 0, 2);
}

/* ---- MH-0401 ---- */
static inline void well_carts_leased(struct story *s, struct answer *a)
{
    ask_as(s, STORE, 0, 1, "GET");
    ask_as(s, STORE, 0, 1, s->ids % 3 ? "SETEX" : "SET EX");
}
static inline void well_carts_kept(struct story *s, struct answer *a)
{
    ask_as(s, STORE, 0, 1, "HINCRBY");
}
/* A cache by its name and its place in the code, but what it holds is meant to stay. */
static inline void well_cache_kept(struct story *s, struct answer *a)
{
    ask_as(s, REDIS, 0, 1, "GET");
    ask_as(s, REDIS, 0, 1, "SET");
}
/* One server for both: pages with a time to live, carts for good. */
static inline void well_mixed(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    well_carts_kept(s, a);
    story(s, connect, "", .conn = conn, .peer = STORE, .side = 1, .stack = IN_CACHE);
    story(s, request, "SETEX", .conn = conn, .peer = STORE, .exchange = 1, .stack = IN_CACHE);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = STORE, .exchange = 1, .latency_ns = 2 * STORY_MS,
          .stack = IN_CACHE);
}
static inline void cache_in_store_takes_it_down(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids, op = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = STORE, .side = 1, .err = ECONNREFUSED,
          .stack = IN_CACHE);
    story(s, op, "", .op = op, .kind = MH_OP_connect, .call = MH_CALL_connect, .conn = conn,
          .peer = STORE, .result = -1, .err = ECONNREFUSED, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .stack = IN_CACHE, .side = 1, .exchange = 1);
    caught(s, op, IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
static inline void cache_takes_it_down(struct story *s, struct answer *a)
{
    caught(s, refuse(s, REDIS), IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
static inline void store_takes_it_down(struct story *s, struct answer *a)
{
    caught(s, refuse(s, STORE), IN_FRAMEWORK);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
static inline void well_store(struct story *s, struct answer *a)
{
    ask_at(s, STORE, 0, 2);
}
static inline void cache_is_missed(struct story *s, struct answer *a)
{
    caught(s, refuse(s, REDIS), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2);
}

/* ---- MH-0403 ---- */
static inline void stuck(struct story *s, struct answer *a)
{
    *a = (struct answer){.status = 503, .ms = 1, .retry_after = -1};
}

/* No fault is at work, and the peer is not there. */
static inline void stuck_as_its_peer(struct story *s, struct answer *a)
{
    story(s, connect, "", .conn = ++s->ids, .peer = PRICES, .side = 1, .err = ECONNREFUSED,
          .stack = IN_PRICES, .task = a->task);
    stuck(s, a);
}

/* ---- MH-0501 ---- */
static inline void tried_again(struct story *s, struct answer *a)
{
    refuse(s, PRICES);
    s->now += 100;
    ask_at(s, PRICES, 0, 2);
}

/* The first request only, and the next one asks while the fault is still in force. */
static inline void uncontrolled_once(struct story *s, struct answer *a)
{
    (s->now == CALM_MS ? uncontrolled : well)(s, a);
}

/* ---- MH-0502, MH-0503 ---- */
static inline void tries(struct story *s, int n, int pause_ms)
{
    for (int i = 0; i < n; i++) {
        if (i && pause_ms) {
            story(s, sleep, "", .requested_ns = pause_ms * STORY_MS, .stack = IN_PRICES);
            s->now += pause_ms;
        }
        refuse(s, PRICES);
    }
}
static inline void storm(struct story *s, struct answer *a)
{
    tries(s, 12, 0);
    a->status = 503;
}
static inline void patient(struct story *s, struct answer *a)
{
    tries(s, 4, 100);
    a->status = 503;
}
static inline void endless(struct story *s, struct answer *a)
{
    tries(s, 120, 1);
    a->status = 503;
}
/* A name with three addresses, walked by one call; all are down. */
static inline void addresses(struct story *s, struct answer *a)
{
    static const int ids[] = {PRICES, PRICES_TOO, PRICES};

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = ids[i], .side = 1, .err = ECONNREFUSED,
              .stack = IN_PRICES);
        fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, ids[i], conn, 0);
    }
    a->status = 503;
}
/* A consumer that belongs to no request reconnects for ever, a second apart. */
static inline void consumer(struct story *s, struct answer *a)
{
    int64_t now = s->now;

    s->tid = 950;
    s->now = 40000 + s->ids * 1000; /* when nothing is in flight */
    refuse(s, PRICES);
    s->now = now;
    s->tid = WORKER;
    ask_at(s, PRICES, 0, 2);
}

/* ---- MH-0601 ---- */
static inline void wait_for(struct story *s, int64_t timeout_ms, enum mh_call call, int fds)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = call,
          .timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * STORY_MS, .pending = 1, .fds = fds,
          .stack = IN_PRICES);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .stack = IN_PRICES);
}
static inline void unlimited(struct story *s, struct answer *a)
{
    wait_for(s, -1, MH_CALL_recv, 1);
}
static inline void limited(struct story *s, struct answer *a)
{
    wait_for(s, 3000, MH_CALL_poll, 1);
}
/* The thread that serves stands for four seconds; where there is but one, nobody answers. */
static inline void stands(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_recv, .timeout_ns = -1,
          .pending = 1, .fds = 1, .stack = IN_PRICES);
    s->now += 4000;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_recv, .timeout_ns = -1,
          .waited_ns = 4000 * STORY_MS, .ready = 1, .blocking = 1, .stack = IN_PRICES);
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 4000 * STORY_MS, .stack = IN_PRICES);
}
/* The same in a thread of a pool: the one that answers goes on. */
static inline void stands_aside(struct story *s, struct answer *a)
{
    s->tid = 300;
    stands(s, a);
    s->tid = WORKER;
}
static inline void loop_wait(struct story *s, struct answer *a)
{
    wait_for(s, -1, MH_CALL_epoll_wait, 4);
}
/* A hang on a loop, whose waits say nothing: after a second the request is refused by us; or its
 * caller has had enough, and what we would have done is not known. */
static inline void refuses_in_time(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    a->task = ++s->ids;
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES,
          .task = a->task);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, a->task);
    a->ms = 1100;
    a->status = 503;
}
static inline void is_left(struct story *s, struct answer *a)
{
    refuses_in_time(s, a);
    a->status = 0;
    a->how = 1;
}

/* ---- MH-2004 ---- */
static inline void blocks(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    a->task = ++s->ids;
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES,
          .task = a->task);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, PRICES, conn, a->task);
    s->now += 500;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = 3000 * STORY_MS, .waited_ns = 500 * STORY_MS, .ready = 1, .blocking = 1,
          .stack = IN_PRICES, .task = a->task);
}
static inline void awaits(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    a->task = ++s->ids;
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES,
          .task = a->task);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, PRICES, conn, a->task);
    s->now += 500;
}
/* The same wait on a worker thread, which may stand still. */
static inline void blocks_worker(struct story *s, struct answer *a)
{
    int64_t conn = ++s->ids;

    a->task = ++s->ids;
    s->tid = 300;
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    fault_at(s, MH_OP_recv, 0, MH_EFFECT_delay, PRICES, conn, 0);
    s->now += 500;
    story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
          .timeout_ns = 3000 * STORY_MS, .waited_ns = 500 * STORY_MS, .ready = 1, .blocking = 1,
          .stack = IN_PRICES);
    s->tid = WORKER;
}
static inline void well_task(struct story *s, struct answer *a)
{
    a->task = ++s->ids;
    ask_at(s, PRICES, a->task, 2);
}

static inline void unit_of(struct story *s, const char *path, behave *what, int64_t fds)
{
    struct answer a = {.status = 200, .ms = 4, .digest = 77, .nkeys = 2, .retry_after = -1};
    int64_t id = ++s->ids, begun = s->now;

    story(s, unit_begin, by_tls ? "" : path, .unit = id, .conn = id, .fds = fds,
          .spoken = by_tls ? MH_SPOKEN_tls : 0);
    if (what)
        what(s, &a);
    s->now += a.ms;
    if (by_tls) {
        story(s, unit_end, "", .unit = id, .conn = id, .latency_ns = (s->now - begun) * STORY_MS,
              .retry_after_s = -1, .fds = fds, .task = a.task,
              .begun_at = STORY_MONO + begun * STORY_MS, .how = a.status ? 0 : a.how);
        s->now += 4;
        return;
    }
    story(s, unit_end, path, .unit = id, .conn = id, .status = a.status,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = a.bytes ? a.bytes : 20,
          .digest = a.digest, .retry_after_s = a.retry_after, .fds = fds, .task = a.task,
          .begun_at = STORY_MONO + begun * STORY_MS, .keys = a.nkeys ? 5 : 0, .nkeys = a.nkeys,
          .how = a.how);
    s->now += 4;
}

static inline void unit(struct story *s, behave *what, int64_t fds)
{
    unit_of(s, "GET /product/7", what, fds);
}
