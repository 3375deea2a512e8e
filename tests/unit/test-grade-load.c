/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about overload: a small server with so many slots, a peer that is slow, and a
 * load that does not wait. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "play.h"
#include "story.h"

#include "base/banned.h"

enum { SLOW_MS = 2000, RUSH_MS = 20000, AFTER_MS = 20000, MOST = 2000 };

struct server {
    int slots;          /* requests that it works for at once; 0: any number */
    bool queues;        /* the others wait, else they are refused */
    int refusal_ms;     /* how long that takes */
    int retry_after;    /* -1: it does not say */
    int every;          /* ms between requests */
    bool ill_after;     /* what it is when the load has gone */
    bool spent;         /* no descriptor is left for those that are slow */
    int limit_ms;       /* after which every second one gives the slow peer up; 0: none */
    const char *health; /* asked every second; refused as the others are, or not */
    bool health_refused;
};

struct request {
    int64_t at;
    int64_t id;
    const char *path;
    bool begins, asks, hit, spent;
    int status, latency, retry_after;
};

static struct request list[MOST];
static size_t count;

static void add(int64_t at, int latency, int status, int retry_after, bool asks, bool hit,
                const char *path)
{
    struct request r = {.at = at,
                        .id = 100000 + (int64_t)count,
                        .path = path,
                        .begins = true,
                        .asks = asks,
                        .hit = hit,
                        .status = status,
                        .latency = latency,
                        .retry_after = retry_after};

    assert_true(count + 2 <= MOST);
    list[count++] = r;
    r.begins = false;
    r.at += latency;
    list[count++] = r;
}

/* The server's answers to one request each `every` ms, in order of arrival. */
static void rush(const struct server *s)
{
    int64_t free_at[64] = {0};

    for (int64_t at = CALM_MS; at < CALM_MS + RUSH_MS; at += s->every) {
        bool cut = s->limit_ms && (at / s->every) % 2;
        int best = 0;

        for (int i = 1; i < s->slots; i++)
            best = free_at[i] < free_at[best] ? i : best;
        if (s->slots && free_at[best] > at && !s->queues) {
            add(at, s->refusal_ms, 503, s->retry_after, false, false, "GET /product/7");
            continue;
        }
        free_at[best] = (s->slots ? MH_MAX(free_at[best], at) : at) + (cut ? s->limit_ms : SLOW_MS);
        add(at, (int)(free_at[best] - at), cut ? 503 : 200, -1, true, true, "GET /product/7");
        list[count - 2].spent = s->spent;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct request *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static void tell(struct story *s, const struct request *r)
{
    s->now = r->at;
    if (r->begins) {
        story(s, unit_begin, r->path, .unit = r->id, .conn = r->id, .fds = 10);
        if (r->asks) {
            story(s, connect, "", .conn = r->id, .peer = PRICES, .side = 1, .stack = IN_PRICES,
                  .unit = r->id);
            story(s, request, "GET /json", .conn = r->id, .peer = PRICES, .exchange = 1,
                  .stack = IN_PRICES, .unit = r->id);
        }
        if (r->spent)
            story(s, op, "", .op = r->id + MOST, .kind = MH_OP_socket, .call = MH_CALL_socket,
                  .result = -1, .err = EMFILE, .stack = IN_PRICES, .unit = r->id);
        if (r->hit)
            story(s, op, "", .op = r->id, .kind = MH_OP_recv, .call = MH_CALL_recv, .conn = r->id,
                  .peer = PRICES, .result = 10, .wait_ns = -1, .fault = 1,
                  .effect = MH_EFFECT_delay + 1, .delay_ns = SLOW_MS * STORY_MS, .ordinal = r->id,
                  .stack = IN_PRICES, .side = 1, .exchange = 1, .unit = r->id);
        return;
    }
    story(s, unit_end, r->path, .unit = r->id, .conn = r->id, .status = r->status,
          .latency_ns = r->latency * STORY_MS, .bytes = 20, .digest = 77, .fds = 10,
          .retry_after_s = r->retry_after,
          .begun_at = STORY_MONO + (r->at - r->latency) * STORY_MS);
}

static const char *judged(const struct server *server, const char *rule)
{
    static char got[64];
    struct story s = {0};
    json_t *document;
    const json_t *f;

    count = 0;
    for (int64_t at = 0; at < CALM_MS - 100; at += 50)
        add(at, 20, 200, -1, true, false, "GET /product/7");
    rush(server);
    for (int64_t at = 0; server->health && at < CALM_MS + RUSH_MS; at += 1000)
        add(at + 7, 1, server->health_refused && at > CALM_MS + 1000 ? 503 : 200, -1, false, false,
            server->health);
    for (int64_t at = CALM_MS + RUSH_MS + 10500; at < CALM_MS + RUSH_MS + AFTER_MS; at += 200)
        add(at, 20, server->ill_after ? 503 : 200, -1, true, false, "GET /product/7");
    qsort(list, count, sizeof(*list), by_time);
    fault_ms = CALM_MS + RUSH_MS;
    story_open(&s, "a");
    prologue(&s);
    fault_ms = FAULT_MS;
    s.tid = WORKER;
    for (size_t i = 0; i < count; i++)
        tell(&s, &list[i]);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, rule);
    snprintf(got, sizeof(got), "%s %s", verdict(document, rule),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static const struct server takes_all = {.every = 50};
static const struct server gives_up = {.every = 50, .limit_ms = 400};
static const struct server queues = {.slots = 16, .queues = true, .every = 50};
static const struct server sheds = {
    .slots = 16, .every = 50, .refusal_ms = 1, .retry_after = 2, .health = "GET /health"};
static const struct server few = {.slots = 16, .queues = true, .every = 400};

static void piles(void **state)
{
    assert_string_equal(judged(&takes_all, "MH-0702"), "fail High");
    assert_string_equal(judged(&queues, "MH-0702"), "fail High");
    assert_string_equal(judged(&sheds, "MH-0702"), "pass ");
    assert_string_equal(judged(&few, "MH-0702"), "not exercised "); /* a slow peer is no crowd */
}

static void goodput(void **state)
{
    assert_string_equal(judged(&queues, "MH-0701"), "fail High");
    assert_string_equal(judged(&sheds, "MH-0701"), "pass ");
    assert_string_equal(judged(&takes_all, "MH-0701"), "not exercised ");
    assert_string_equal(judged(&gives_up, "MH-0701"), "not exercised ");
}

static void aftermath(void **state)
{
    struct server ill = queues, spent = queues;

    ill.ill_after = true;
    spent.spent = true;
    assert_string_equal(judged(&queues, "MH-0703"), "pass ");
    assert_string_equal(judged(&spent, "MH-0703"), "fail Critical");
    assert_string_equal(judged(&ill, "MH-0703"), "fail Critical");
    assert_string_equal(judged(&sheds, "MH-0703"), "pass ");
    assert_string_equal(judged(&few, "MH-0703"), "not exercised ");
}

static void refusals(void **state)
{
    struct server slow = sheds, mute = sheds;

    slow.refusal_ms = 300;
    mute.retry_after = -1;
    assert_string_equal(judged(&slow, "MH-0704"), "fail Low");
    assert_string_equal(judged(&mute, "MH-0704"), "fail Low");
    assert_string_equal(judged(&sheds, "MH-0704"), "pass ");
    assert_string_equal(judged(&takes_all, "MH-0704"), "not exercised ");
}

static void probes(void **state)
{
    struct server all = sheds, ready = sheds;

    all.health_refused = true;
    ready.health_refused = true;
    ready.health = "GET /health/ready";
    assert_string_equal(judged(&all, "MH-0705"), "fail Medium");
    assert_string_equal(judged(&sheds, "MH-0705"), "pass ");
    assert_string_equal(judged(&ready, "MH-0705"), "not exercised ");
}

/* ---- MH-2016: memory at the ends of requests ---- */

enum { HIT_MS = 14 };

static bool in_two; /* outages, one after the other */

/* step: all of it at once, in the middle of the hits. */
static const char *memory_as(int hits, int kb_calm, int kb_hit, int kb_step)
{
    static char got[64];
    struct story s = {0};
    json_t *document;
    const json_t *f;
    int64_t rss = 50000;

    story_open(&s, "a");
    fault_ms = CALM_MS + (in_two ? hits / 2 * HIT_MS : 40000);
    prologue(&s);
    if (in_two)
        story(&s, phase, "bad again\nbroken", .phase = 3, .start_ns = fault_ms * STORY_MS,
              .for_ns = 40000 * STORY_MS);
    fault_ms = FAULT_MS;
    s.tid = WORKER;
    for (int i = 0; i < CALM + hits; i++) {
        int64_t id = ++s.ids, begun = s.now;

        if (i == CALM)
            begun = s.now = CALM_MS;
        story(&s, unit_begin, "POST /event", .unit = id, .conn = id, .fds = 10);
        if (i >= CALM)
            caught(&s, refuse(&s, PRICES), IN_APP);
        s.now += 4;
        rss += (i < CALM ? kb_calm : kb_hit) + (i == CALM + hits * 6 / 10 ? kb_step : 0);
        story(&s, unit_end, "POST /event", .unit = id, .conn = id, .status = 202,
              .latency_ns = 4 * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1, .fds = 10,
              .begun_at = STORY_MONO + begun * STORY_MS, .rss_kb = rss);
        s.now += 10;
    }
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-2016");
    snprintf(got, sizeof(got), "%s %s", verdict(document, "MH-2016"),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static const char *memory(int hits, int kb_calm, int kb_hit)
{
    return memory_as(hits, kb_calm, kb_hit, 0);
}

static void buffers(void **state)
{
    assert_string_equal(memory(200, 0, 40), "fail High");
    assert_string_equal(memory(200, 0, 0), "pass ");
    assert_string_equal(memory(200, 40, 40), "unclear "); /* it grows anyway */
    assert_string_equal(memory(60, 0, 40), "not exercised ");
    assert_string_equal(memory_as(200, 0, 0, 8000), "unclear "); /* a warm-up */
    in_two = true;
    assert_string_equal(memory(400, 0, 40), "fail High");
    assert_string_equal(memory(180, 0, 40), "not exercised "); /* 90 in each */
    in_two = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(piles),    cmocka_unit_test(goodput), cmocka_unit_test(aftermath),
        cmocka_unit_test(refusals), cmocka_unit_test(probes),  cmocka_unit_test(buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
