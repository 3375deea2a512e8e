/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about processes that start while something is away. */
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

enum { ARBITER = 50, SHELL = 1 };

/* A process: from when to when, which of its first tries fail, what it does then. */
struct life {
    int pid, ppid; /* ppid: forked from that one; 0: a program of its own */
    int64_t from, until;
    int refused, well; /* connects that fail, that go well */
    bool serves;
    int status;
    const char *command;
    bool attached; /* it ran before */
};

static void begin(struct story *s, const char *name, const struct life *l)
{
    s->born = l->from;
    story_open(s, name);
    story(s, process, l->command ? l->command : "gunicorn shop:app", .pid = l->pid,
          .ppid = l->ppid ? l->ppid : SHELL, .forked = l->ppid != 0, .python = 0x030b02f0,
          .attached = l->attached);
    prologue(s);
}

static void live(struct story *s, const char *name, const struct life *l)
{
    begin(s, name, l);
    if (l->pid == ARBITER)
        story(s, listening, "0.0.0.0", .port = 8000);
    for (int i = 0; i < l->refused; i++, s->now += 200)
        refuse(s, STORE);
    for (int i = 0; i < l->well; i++)
        ask_at(s, STORE, 0, 2);
    s->tid = WORKER;
    while (l->serves && s->now < l->until) {
        unit(s, well, 10);
        s->now += 500;
    }
    s->now = l->until;
    story(s, exit, "", .status = l->status);
    story_close(s);
}

struct row {
    const char *name, *expected;
    struct life lives[6];
    bool never_ready;
};

static const char *judged(const struct row *row)
{
    static char got[64];
    struct story s = {.born = 0};
    char name[2] = "a";
    json_t *document;
    const json_t *f;

    for (const struct life *l = row->lives; l->pid; l++, name[0]++)
        live(&s, name, l);
    if (row->never_ready) {
        s.born = 0;
        story_open(&s, "z");
        story(&s, child, "gunicorn shop:app", .pid = row->lives[0].pid, .status = 3, .ready = 2);
        story_close(&s);
    }
    document = grade_story(&s);
    f = finding(document, "MH-0105");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-0105"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static const struct row rows[] = {
    {"nothing failed", "not exercised", {{7, 0, 0, 20000, 0, 1, true, 0, 0}}, false},
    {"tried again, and serves", "pass", {{7, 0, 0, 20000, 3, 1, true, 0, 0}}, false},
    {"serves without it", "pass", {{7, 0, 0, 20000, 1, 0, true, 0, 0}}, false},
    {"ran already when mishap came",
     "not exercised",
     {{7, 0, 0, 20000, 3, 0, true, 0, 0, true}},
     false},
    /* somebody outside may start it again */
    {"left, started like one that serves",
     "fail Medium",
     {{7, 0, 0, 3000, 0, 1, true, 0, 0}, {8, 0, 4000, 4100, 1, 0, false, 1, 0}},
     false},
    {"tried again, and left",
     "pass",
     {{7, 0, 0, 3000, 0, 1, true, 0, 0}, {8, 0, 4000, 5000, 3, 0, false, 1, 0}},
     false},
    {"started again by its parent",
     "fail Low",
     {{ARBITER, 0, 0, 30000, 0, 0, false, 0, 0},
      {7, ARBITER, 10, 30000, 0, 1, true, 0, 0},
      {8, ARBITER, 4000, 4100, 1, 0, false, 1, 0},
      {9, ARBITER, 5000, 30000, 0, 1, true, 0, 0}},
     false},
    {"its parent left, too",
     "fail High",
     {{ARBITER, 0, 0, 4500, 0, 0, false, 3, 0},
      {7, ARBITER, 10, 4400, 0, 1, true, 0, 0},
      {8, ARBITER, 4000, 4100, 1, 0, false, 3, 0}},
     false},
    {"its parent does nothing",
     "fail High",
     {{ARBITER, 0, 0, 30000, 0, 0, false, 0, 0},
      {7, ARBITER, 10, 30000, 0, 1, true, 0, 0},
      {8, ARBITER, 4000, 4100, 1, 0, false, 1, 0}},
     false},
    /* a report that is made beside it, and was never to serve */
    {"a program of another kind",
     "not exercised",
     {{7, 0, 0, 20000, 0, 1, true, 0, 0}, {8, 7, 4000, 4100, 1, 0, false, 1, "python report.py"}},
     false},
    {"left with a good status",
     "unclear",
     {{7, 0, 0, 3000, 0, 1, true, 0, 0}, {8, 0, 4000, 4100, 1, 0, false, 0, 0}},
     false},
    {"left much later",
     "unclear",
     {{7, 0, 0, 3000, 0, 1, true, 0, 0}, {8, 0, 4000, 15000, 1, 0, false, 1, 0}},
     false},
    {"never came up", "fail Medium", {{7, 0, 0, 100, 1, 0, false, 3, 0}}, true},
    {"a command", "not applicable", {{7, 0, 0, 100, 1, 0, false, 3, 0}}, false},
};

static void starts(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(starts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
