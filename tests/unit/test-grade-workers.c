/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about workers that are killed, and about the end of a run. */
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

/* A worker that serves from one time to another, twice a second, and is then killed or not. */
static void worker(struct story *s, const char *name, int64_t from, int64_t until, bool killed)
{
    s->born = from;
    story_open(s, name);
    prologue(s);
    s->tid = WORKER;
    while (s->now < until) {
        unit(s, well, 10);
        s->now += 500;
    }
    if (killed)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .fd = 9,
              .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_kill + 1, .side = 2,
              .ordinal = s->ids);
    else
        story(s, exit, "", .status = 0);
    story_close(s);
}

struct life {
    int64_t from, until;
    bool killed;
};

static const char *judged(const struct life *lives)
{
    static char got[64];
    struct story s = {.born = 0};
    char name[2] = "a";
    json_t *document;
    const json_t *f;

    for (; lives->until; lives++, name[0]++)
        worker(&s, name, lives->from, lives->until, lives->killed);
    document = grade_story(&s);
    f = finding(document, "MH-0203");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-0203"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void workers(void **state)
{
    static const struct {
        const char *expected;
        struct life lives[6];
    } rows[] = {
        {"not exercised", {{0, 20000, false}, {0, 20000, false}}},
        {"pass", {{0, 5000, true}, {0, 20000, false}, {6000, 20000, false}}},
        {"fail High", {{0, 5000, true}, {0, 20000, false}}},
        /* one successor for two deaths */
        {"fail High", {{0, 5000, true}, {0, 6000, true}, {0, 20000, false}, {7000, 20000, false}}},
        {"unclear", {{0, 5000, true}, {0, 9000, false}}},
        {"unclear", {{0, 5000, true}}}, /* alone: its supervisor may be elsewhere */
        /* slow to come back, and nobody else serves: partial */
        {"fail Medium",
         {{0, 5000, true}, {0, 5000, true}, {11500, 30000, false}, {12000, 30000, false}}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(rows[i].lives);

        if (strcmp(got, rows[i].expected))
            fail_msg("row %zu: expected %s, got %s", i, rows[i].expected, got);
    }
}

/* ---- MH-2014 ---- */

enum { PORT = 8000, LOOKED_MS = 30000, PARENT = 100, FIRST = 101 };

/* A process that listens, and serves twice a second or not at all. */
static void member(struct story *s, const char *name, int pid, const struct life *life)
{
    s->born = life->from;
    s->pid = pid;
    story_open(s, name);
    prologue(s);
    s->tid = WORKER;
    story(s, listening, "127.0.0.1", .fd = 3, .port = PORT, .backlog = 100);
    while (pid != PARENT && s->now < life->until) {
        unit(s, well, 10);
        s->now += 500;
    }
    if (life->killed)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .fd = 9,
              .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_kill + 1, .side = 2,
              .ordinal = s->ids);
    story_close(s);
}

/* What `mishap run` wrote; holders NULL: it did not look. */
static void supervisor(struct story *s, const char *holders, int waiting)
{
    s->born = 0;
    s->pid = 99;
    story_open(s, "mishap");
    s->now = LOOKED_MS + 1000;
    if (holders && *holders)
        story(s, listener, holders, .port = PORT, .waiting = waiting,
              .looked_at = STORY_MONO + LOOKED_MS * STORY_MS);
    else if (holders)
        story(s, listener, "", .looked_at = STORY_MONO + LOOKED_MS * STORY_MS);
    story_close(s);
}

static void zombies(void **state)
{
    static const struct {
        const char *expected, *holders;
        int waiting;
        struct life lives[5];
    } rows[] = {
        {"fail", "100", 7, {{0, 5000, true}, {0, 6000, true}}},
        {"pass", "100 102", 7, {{0, 5000, true}, {0, 30000, false}}}, /* busy, not gone */
        {"pass", "", 0, {{0, 5000, true}, {0, 6000, true}}},          /* closed with them */
        {"unclear", "100", 0, {{0, 5000, true}, {0, 6000, true}}},    /* nobody came */
        {"unclear", "100", 7, {{0, 5000, true}, {0, 28000, true}}},   /* just now */
        {"unclear", "100 103", 7, {{0, 5000, true}, {0, 6000, true}, {29000, 0, false}}},
        {"unclear", NULL, 0, {{0, 5000, true}, {0, 6000, true}}},
        {"not exercised", "100 101 102", 7, {{0, 30000, false}, {0, 30000, false}}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        static const struct life always = {0, 40000, false};
        struct story s = {.born = 0};
        json_t *document;

        member(&s, "parent", PARENT, &always);
        for (int k = 0; rows[i].lives[k].until || rows[i].lives[k].from; k++)
            member(&s, (char[]){(char)('a' + k), 0}, FIRST + k, &rows[i].lives[k]);
        supervisor(&s, rows[i].holders, rows[i].waiting);
        document = grade_story(&s);
        if (strcmp(verdict(document, "MH-2014"), rows[i].expected))
            fail_msg("row %zu: expected %s, got %s", i, rows[i].expected,
                     verdict(document, "MH-2014"));
        json_decref(document);
        story_remove(&s);
    }
}

/* ---- MH-2017 ---- */

struct stop {
    const char *expected;
    int signal;
    int64_t at, ended; /* ms, of the command */
    int answered, cut; /* requests in flight then */
    bool killed, hung; /* hung: those that are cut had been held by the fault for long */
};

static const char *stopped(const struct stop *w)
{
    struct story s = {.born = 0};
    int64_t asked;

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    while (s.now < CALM_MS)
        unit(&s, well, 10);
    asked = MH_MAX(s.now, w->at);
    for (int i = 0; i < w->answered + w->cut; i++) {
        s.now = asked - (w->hung ? 2000 : 100);
        s.tid = WORKER + (uint32_t)i;
        story(&s, unit_begin, "GET /product/7", .unit = 500 + i, .conn = 500 + i);
        if (w->hung)
            fault_at(&s, MH_OP_recv, 0, MH_EFFECT_hang, PRICES, ++s.ids, 0);
    }
    for (int i = 0; i < w->answered + w->cut; i++) {
        s.now = asked + 200;
        story(&s, unit_end, "GET /product/7", .unit = 500 + i, .conn = 500 + i,
              .status = i < w->answered ? 200 : 0, .how = i < w->answered ? 0 : 2);
    }
    story_close(&s);
    s.pid = 99;
    story_open(&s, "mishap");
    s.now = w->ended + 10;
    story(&s, stop, "", .signal = w->signal, .sent_at = STORY_MONO + asked * STORY_MS);
    if (w->killed)
        story(&s, stop, "", .signal = 9, .sent_at = STORY_MONO + w->ended * STORY_MS);
    story(&s, child, "uvicorn", .pid = STORY_PID, .stopped = 1,
          .ended_at = STORY_MONO + w->ended * STORY_MS);
    story_close(&s);
    return story_verdict(&s, "MH-2017");
}

static void stops(void **state)
{
    static const struct stop rows[] = {
        {"pass", 15, 5000, 6000, .answered = 4},
        {"fail", 15, 5000, 5100, .cut = 4},
        {"fail", 15, 5000, 40000, .answered = 4},
        {"fail", 15, 5000, 37000, .answered = 4, .killed = true},
        {"unclear", 15, 5000, 15000, .answered = 4, .killed = true},
        {"pass", 15, 5000, 5500, .cut = 4, .hung = true}, /* they had no chance */
        {"not exercised", 15, 5000, 6000},                /* nothing was in flight */
        {"not exercised", 2, 5000, 6000, .cut = 4},       /* by Ctrl-C */
        {"not exercised", 15, 7000, 7100, .cut = 4},      /* the fault was over */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(stopped(&rows[i]), rows[i].expected))
            fail_msg("row %zu: expected %s, got %s", i, rows[i].expected, stopped(&rows[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers),
        cmocka_unit_test(zombies),
        cmocka_unit_test(stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
