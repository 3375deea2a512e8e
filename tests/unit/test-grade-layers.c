/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader that need several processes: chains of services, herds. */
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
#include "play-more.h"
#include "story.h"

#include "base/banned.h"

/* What the document of a story says of a rule; the story is removed. */
static const char *judged(struct story *s, const char *rule)
{
    static char got[64];
    json_t *document = grade_story(s);
    const json_t *f = finding(document, rule);

    snprintf(got, sizeof(got), "%s %s", verdict(document, rule),
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(s);
    return got;
}

/* ---- MH-2010: the front asks the middle (port 9000), which asks the prices ---- */

enum { MIDDLE = 6, FRONT_PORT = 8000, MIDDLE_PORT = 9000 };

static int front_tries, middle_tries;
static const char *question = "GET /product/7"; /* what the front asks, and the middle is asked */

static void asks_middle(struct story *s, int n, int status)
{
    for (int i = 0; i < n; i++) {
        int64_t conn = ++s->ids;

        s->now += i ? 60 : 0;
        story(s, connect, "", .conn = conn, .peer = MIDDLE, .side = 1, .stack = IN_STOCK);
        story(s, request, question, .conn = conn, .peer = MIDDLE, .exchange = 1, .stack = IN_STOCK);
        s->now += 2;
        story(s, response, "", .conn = conn, .peer = MIDDLE, .exchange = 1, .status = status,
              .latency_ns = 2 * STORY_MS, .retry_after_s = -1, .stack = IN_STOCK);
    }
}
static void front_well(struct story *s, struct answer *a)
{
    asks_middle(s, 1, 200);
}
static void front_hit(struct story *s, struct answer *a)
{
    asks_middle(s, front_tries, 503);
    a->status = 503;
}
static void middle_hit(struct story *s, struct answer *a)
{
    tries(s, middle_tries, 60);
    a->status = 503;
}

static void process(struct story *s, const char *name, int pid, int parent)
{
    story_open(s, name);
    story(s, process, "gunicorn shop:app", .pid = pid, .ppid = parent, .started_at = STORY_MONO,
          .wall_ns = STORY_WALL, .seed = 7);
}

static bool managed; /* the manager listens, its worker serves */

static void service(struct story *s, const char *name, int port, behave *calm, behave *hit)
{
    char manager[40];

    if (managed) {
        snprintf(manager, sizeof(manager), "manager-of-%s", name);
        process(s, manager, port, 1);
        story(s, listening, "", .port = port);
        story_close(s);
        process(s, name, port + 1, port);
    } else {
        story_open(s, name);
    }
    prologue(s);
    story(s, peer, "middle\n10.0.0.8", .peer = MIDDLE, .family = 2, .port = MIDDLE_PORT, .side = 1);
    if (!managed)
        story(s, listening, "", .port = port);
    s->tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(s, calm, 10);
    s->now = CALM_MS;
    for (int i = 0; i < 6; i++)
        unit(s, hit, 10);
    story_close(s);
}

static const char *chain(int front, int middle)
{
    struct story s = {0};

    front_tries = front;
    middle_tries = middle;
    service(&s, "front", FRONT_PORT, front_well, front_hit);
    service(&s, "middle", MIDDLE_PORT, well, middle_hit);
    return judged(&s, "MH-2010");
}

static void chains(void **state)
{
    struct story s = {0};

    assert_string_equal(chain(3, 3), "fail High");
    assert_string_equal(chain(2, 2), "fail Medium"); /* partial: four times */
    assert_string_equal(chain(1, 6), "pass ");       /* one layer: MH-0505 has it */
    assert_string_equal(chain(1, 1), "pass ");
    managed = true;
    assert_string_equal(chain(3, 3), "fail High");
    managed = false;
    question = "GET /price"; /* the same port, but somebody else */
    assert_string_equal(chain(3, 3), "not exercised ");
    question = "GET /product/7";
    service(&s, "alone", FRONT_PORT, well, middle_hit);
    assert_string_equal(judged(&s, "MH-2010"), "not applicable ");
}

/* ---- MH-2011: workers that come back, `apart` ms one after the other ---- */

static const char *herd(int workers, int apart, bool asked, int pause)
{
    struct story s = {0};

    for (int i = 0; i < workers; i++) {
        char name[8] = {(char)('a' + i), 0};

        story_open(&s, name);
        prologue(&s);
        s.tid = WORKER;
        ask_at(&s, PRICES, 0, 2);
        for (s.now = CALM_MS + 50 * i; s.now < FAULT_MS; s.now += 1000)
            refuse(&s, PRICES);
        s.now = FAULT_MS + pause + apart * i;
        if (asked)
            unit(&s, well, 10); /* a request came, and needed it */
        else
            ask_at(&s, PRICES, 0, 2);
        s.now += 1000;
        story(&s, exit, "", .status = 0);
        story_close(&s);
    }
    return judged(&s, "MH-2011");
}

static void herds(void **state)
{
    assert_string_equal(herd(6, 5, false, 500), "fail Medium");
    assert_string_equal(herd(6, 200, false, 500), "pass ");
    assert_string_equal(herd(6, 30, false, 500), "unclear "); /* four of six: may be chance */
    assert_string_equal(herd(6, 5, true, 500), "not exercised ");
    assert_string_equal(herd(3, 5, false, 500), "not applicable ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(herds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
