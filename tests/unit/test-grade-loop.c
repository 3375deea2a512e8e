/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2015: processes that serve end badly, one after the other or all at once. */
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

enum { PARENT = 50, SHELL = 1, KILLED = -2, CUT = -3, STAYS = -4 };

struct life {
    int64_t from, until; /* s */
    int status;
    bool refused; /* it cannot reach its store, and does not serve */
};

struct row {
    const char *name, *expected;
    struct life lives[9];
    const char *command; /* each with another number in it; NULL: forked */
};

static const struct row rows[] = {
    {"nobody ended", "not exercised", {{0, 40, STAYS, false}}, NULL},
    {"three in a row",
     "fail High",
     {{0, 40, STAYS, false}, {0, 5, 1, false}, {6, 7, 1, true}, {8, 9, 1, true}},
     NULL},
    {"the same, as programs",
     "fail High",
     {{0, 40, STAYS, false}, {0, 5, 1, false}, {6, 7, 1, true}, {8, 9, 1, true}},
     "python worker.py --fd"},
    /* one event: three that were there before it end with it */
    {"three at once",
     "pass",
     {{0, 5, 1, false}, {0, 5, 1, false}, {0, 5, 1, false}, {6, 40, STAYS, false}},
     NULL},
    {"twice, and then it stays",
     "pass",
     {{0, 5, 1, false}, {6, 7, 1, true}, {8, 40, STAYS, false}},
     NULL},
    {"recycled",
     "not exercised",
     {{0, 5, 0, false}, {6, 10, 0, false}, {11, 15, 0, false}, {16, 40, STAYS, false}},
     NULL},
    {"killed by mishap",
     "pass",
     {{0, 5, KILLED, false},
      {6, 10, KILLED, false},
      {11, 15, KILLED, false},
      {16, 40, STAYS, false}},
     NULL},
    {"by signals of somebody",
     "unclear",
     {{0, 5, CUT, false}, {6, 10, CUT, false}, {11, 15, CUT, false}, {16, 40, STAYS, false}},
     NULL},
    {"far apart",
     "pass",
     {{0, 5, 1, false}, {6, 40, 1, false}, {41, 75, 1, false}, {76, 120, STAYS, false}},
     NULL},
    {"once, and the run ends", "unclear", {{0, 5, 1, false}, {6, 9, STAYS, false}}, NULL},
    {"the end of the run",
     "not exercised",
     {{0, 40, 1, false}, {0, 40, 1, false}, {0, 40, 1, false}},
     NULL},
};

static void begin(struct story *s, int i, const struct row *row)
{
    char name[2] = {(char)('b' + i), 0}, command[64] = "gunicorn shop:app";

    if (row->command)
        snprintf(command, sizeof(command), "%s %d", row->command, 30 + i);
    s->cut = row->lives[i].status == KILLED || row->lives[i].status == CUT;
    s->born = row->lives[i].from * 1000;
    s->pid = PARENT + 1 + i;
    story_open(s, name);
    story(s, process, command, .pid = s->pid, .ppid = PARENT, .forked = !row->command,
          .python = 0x030b02f0);
    prologue(s);
}

static void live(struct story *s, int i, const struct row *row)
{
    const struct life *l = &row->lives[i];

    begin(s, i, row);
    if (l->refused)
        refuse(s, STORE);
    s->tid = WORKER;
    while (!l->refused && s->now < l->until * 1000) {
        unit(s, well, 10);
        s->now += 500;
    }
    s->now = MH_MAX(s->now, l->until * 1000);
    if (l->status == KILLED)
        story(s, op, "", .op = ++s->ids, .kind = MH_OP_recv, .call = MH_CALL_recv, .fd = 9,
              .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_kill + 1, .side = 2,
              .ordinal = s->ids);
    else if (!s->cut)
        story(s, exit, "", .status = l->status == STAYS ? 0 : l->status);
    story_close(s);
}

static const char *judged(const struct row *row)
{
    static char got[64];
    struct story s = {.born = 0};
    int64_t end = 0;
    json_t *document;
    const json_t *f;

    for (int i = 0; row->lives[i].until; i++) {
        live(&s, i, row);
        end = MH_MAX(end, row->lives[i].until * 1000);
    }
    s.born = 0;
    s.pid = PARENT;
    s.cut = false;
    story_open(&s, "a");
    story(&s, listening, "0.0.0.0", .port = 8000);
    s.now = end;
    story(&s, exit, "", .status = 0);
    story_close(&s);
    s.pid = SHELL;
    story_open(&s, "z");
    story(&s, stop, "", .signal = 15, .sent_at = STORY_MONO + (end - 20) * STORY_MS);
    story(&s, child, "gunicorn shop:app", .pid = PARENT, .stopped = 1,
          .ended_at = STORY_MONO + end * STORY_MS);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-2015");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-2015"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void loops(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loops)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
