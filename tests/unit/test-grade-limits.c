/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about limits that do not hold for the whole: of one read, of one call, and
 * none where a pool is waited for. */
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
#include "stage.h"
#include "story.h"

#include "base/banned.h"

static const char *judged(const struct play *p)
{
    static char got[64];
    json_t *document = perform(p);
    const json_t *f = finding(document, p->rule);

    snprintf(got, sizeof(got), "%s %s", verdict(document, p->rule),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    return got;
}

/* ---- MH-0604: an answer in n parts, 40 ms apart, each with a limit of 50 ms ---- */

static void reads(struct story *s, int n, int step_ms, bool hit, bool shrinks)
{
    static int64_t ordinal;
    int64_t conn = ++s->ids;

    story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    if (hit)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .conn = conn,
              .peer = PRICES, .result = 10, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_rate + 1,
              .delay_ns = 10 * STORY_MS, .ordinal = ordinal++, .stack = IN_PRICES, .side = 1,
              .exchange = 1, .nonblocking = 1);
    for (int i = 0; i < n; i++) {
        int limit = shrinks ? (n - i + 1) * step_ms : 50;

        story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
              .timeout_ns = limit * STORY_MS, .pending = !i, .fds = 1, .stack = IN_PRICES);
        s->now += step_ms;
        story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
              .timeout_ns = limit * STORY_MS, .waited_ns = step_ms * STORY_MS, .ready = 1,
              .blocking = 1, .stack = IN_PRICES);
        if (!i)
            story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
                  .latency_ns = step_ms * STORY_MS, .stack = IN_PRICES);
    }
    story(s, close, "", .conn = conn, .peer = PRICES, .stack = IN_PRICES);
}
static void drips(struct story *s, struct answer *a)
{
    reads(s, 8, 40, true, false);
}
static void drips_and_is_refused(struct story *s, struct answer *a)
{
    reads(s, 3, 40, true, false);
    a->status = 503;
}
static void drips_against_one_limit(struct story *s, struct answer *a)
{
    reads(s, 8, 40, true, true);
}
static void drips_a_little(struct story *s, struct answer *a)
{
    reads(s, 3, 40, true, false);
}
static void streams(struct story *s, struct answer *a)
{
    reads(s, 8, 15, false, false);
}

static void drip(void **state)
{
    static const struct play endless = {.rule = "MH-0604", .calm = well, .hit = drips, .hits = 6};
    static const struct play refused = {
        .rule = "MH-0604", .calm = well, .hit = drips_and_is_refused, .hits = 6};
    static const struct play one_limit = {
        .rule = "MH-0604", .calm = well, .hit = drips_against_one_limit, .hits = 6};
    static const struct play little = {
        .rule = "MH-0604", .calm = well, .hit = drips_a_little, .hits = 6};
    static const struct play download = {
        .rule = "MH-0604", .calm = streams, .hit = drips, .hits = 6};

    assert_string_equal(judged(&endless), "fail Medium");
    assert_string_equal(judged(&refused), "pass ");
    assert_string_equal(judged(&one_limit), "pass ");
    assert_string_equal(judged(&little), "not exercised ");
    assert_string_equal(judged(&download), "unclear "); /* a stream, in calm times, too */
}

/* ---- MH-0605: requests whose callers wait for so long ---- */

struct caller {
    int patience, limit, tries; /* ms */
    int whim;                   /* some leave much sooner than others stay */
    int stays;                  /* ms: the first one's limit */
};

static void served(struct story *s, const struct caller *c, int i)
{
    int64_t id = ++s->ids, begun = s->now;
    int took = c->limit * c->tries;
    bool gone = took > c->patience;

    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
    for (int k = 0; k < c->tries; k++) {
        int64_t conn = ++s->ids;

        story(s, connect, "", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES);
        story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1,
              .stack = IN_PRICES);
        story(s, wait, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
              .timeout_ns = c->limit * STORY_MS, .pending = 1, .fds = 1, .stack = IN_PRICES);
        fault_at(s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, conn, 0);
        s->now += c->limit;
        story(s, waited, "", .conn = conn, .peer = PRICES, .call = MH_CALL_poll,
              .timeout_ns = c->limit * STORY_MS, .waited_ns = c->limit * STORY_MS, .ready = 0,
              .blocking = 1, .stack = IN_PRICES);
        story(s, close, "", .conn = conn, .peer = PRICES, .pending = 1, .stack = IN_PRICES);
    }
    if (c->whim && i % 2)
        gone = false;
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = 503,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = 20, .digest = 7, .retry_after_s = -1,
          .fds = 10, .how = gone, .begun_at = STORY_MONO + begun * STORY_MS);
    s->now += 100 + (c->whim && i % 2 ? 1000 : 0);
}

static const char *outer(const struct caller *c)
{
    static char got[64];
    struct story s = {0};
    json_t *document;
    const json_t *f;

    story_open(&s, "a");
    fault_ms = CALM_MS + 60000;
    prologue(&s);
    fault_ms = FAULT_MS;
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int i = 0; i < 6; i++) {
        struct caller one = *c;

        /* stays for a second longer than others did not wait for */
        if (c->whim && i % 2)
            one.limit += 1000;
        if (c->stays && i == 0) {
            one.limit = c->stays;
            one.tries = 1;
        }
        served(&s, &one, i);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-0605");
    snprintf(got, sizeof(got), "%s %s", verdict(document, "MH-0605"),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void patience(void **state)
{
    static const struct caller leaves = {
        .patience = 3000, .limit = 2000, .tries = 2, .stays = 2900};
    static const struct caller who_knows = {.patience = 3000, .limit = 2000, .tries = 2};
    static const struct caller stays = {.patience = 3000, .limit = 1000, .tries = 2};
    static const struct caller hurried = {.patience = 200, .limit = 700, .tries = 1};
    static const struct caller whims = {.patience = 1500, .limit = 2000, .tries = 1, .whim = 1};

    assert_string_equal(outer(&leaves), "fail Medium");
    assert_string_equal(outer(&who_knows), "unclear "); /* 1 s, perhaps, or 4 s */
    assert_string_equal(outer(&stays), "pass ");
    assert_string_equal(outer(&hurried), "not exercised "); /* sooner than the deadline */
    assert_string_equal(outer(&whims), "unclear ");
}

/* ---- MH-0608: two places, both taken by calls that hang; others stand for so long ---- */

struct standing {
    int64_t for_ms;
    int status; /* of those that stand, when they give up; 0: they get their turn */
    int places; /* taken; 2 is all that there are */
};

static int64_t begin(struct story *s, bool asks)
{
    int64_t id = ++s->ids;

    story(s, unit_begin, "GET /product/7", .unit = id, .conn = id, .fds = 10);
    if (asks) {
        story(s, connect, "", .conn = id, .peer = PRICES, .side = 1, .stack = IN_PRICES,
              .unit = id);
        story(s, request, "GET /json", .conn = id, .peer = PRICES, .exchange = 1,
              .stack = IN_PRICES, .unit = id);
    }
    return id;
}

static void end(struct story *s, int64_t id, int64_t begun, int status, bool asked)
{
    if (asked)
        story(s, response, "", .conn = id, .peer = PRICES, .exchange = 1, .status = 200,
              .latency_ns = 2 * STORY_MS, .stack = IN_PRICES);
    story(s, unit_end, "GET /product/7", .unit = id, .conn = id, .status = status,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1,
          .fds = 10, .begun_at = STORY_MONO + begun * STORY_MS);
}

static const char *pool(const struct standing *p)
{
    static char got[64];
    struct story s = {0};
    int64_t inside[2], outside[4];
    json_t *document;
    const json_t *f;

    story_open(&s, "a");
    fault_ms = CALM_MS + 40000;
    prologue(&s);
    fault_ms = FAULT_MS;
    s.tid = WORKER;
    for (int i = 0; i < 20; i++) {
        int64_t a = begin(&s, true), b = begin(&s, true);

        s.now += 10;
        end(&s, a, s.now - 10, 200, true);
        end(&s, b, s.now - 10, 200, true);
    }
    s.now = CALM_MS;
    for (int i = 0; i < p->places; i++) {
        inside[i] = begin(&s, true);
        fault_at(&s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, inside[i], 0);
    }
    s.now += 100;
    for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
        outside[i] = begin(&s, false);
    s.now += p->for_ms;
    for (size_t i = 0; i < ARRAY_SIZE(outside) && p->status; i++)
        end(&s, outside[i], s.now - p->for_ms, p->status, false);
    for (int i = 0; i < p->places; i++)
        end(&s, inside[i], CALM_MS, 200, true);
    s.now += 1;
    for (size_t i = 0; i < ARRAY_SIZE(outside) && !p->status; i++) {
        story(&s, connect, "", .conn = outside[i], .peer = PRICES, .side = 1, .stack = IN_PRICES,
              .unit = outside[i]);
        story(&s, request, "GET /json", .conn = outside[i], .peer = PRICES, .exchange = 1,
              .stack = IN_PRICES, .unit = outside[i]);
        s.now += 2;
        end(&s, outside[i], s.now - p->for_ms - 3, 200, true);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-0608");
    snprintf(got, sizeof(got), "%s %s", verdict(document, "MH-0608"),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void places(void **state)
{
    static const struct standing forever = {.for_ms = 31000, .places = 2};
    static const struct standing a_while = {.for_ms = 8000, .places = 2};
    static const struct standing gives_up = {.for_ms = 2000, .status = 503, .places = 2};
    static const struct standing soon = {.for_ms = 60, .status = 503, .places = 2};
    static const struct standing at_once = {.for_ms = 5, .status = 503, .places = 2};
    /* one place is free: what they stood for was something else */
    static const struct standing otherwise = {.for_ms = 31000, .places = 1};

    assert_string_equal(pool(&forever), "fail High");
    assert_string_equal(pool(&a_while), "unclear ");
    assert_string_equal(pool(&gives_up), "pass ");
    assert_string_equal(pool(&soon), "pass ");
    assert_string_equal(pool(&at_once), "not exercised ");
    assert_string_equal(pool(&otherwise), "not exercised ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drip),
        cmocka_unit_test(patience),
        cmocka_unit_test(places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
