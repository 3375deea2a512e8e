/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2008: what follows a transfer that fell short. */
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

enum { PATH = 3, MOVED = 1, OTHER_BYTES = 2, NOTHING = 3 };

struct row {
    const char *name, *expected;
    enum mh_op_kind kind;
    int how;
    bool whole, listened, awaited, real, logged, anew, asked_again;
    int status; /* 0: 201 */
    int first;  /* how the one before it went, of the same request; 0 there was none */
};

static const struct row rows[] = {
    {"a write, and nothing more", "fail", MH_OP_write, .how = NOTHING},
    {"a write, and other bytes", "fail", MH_OP_write, .how = OTHER_BYTES},
    {"a write, and its rest", "pass", MH_OP_write, .how = MOVED},
    {"twice its rest", "pass", MH_OP_write, .how = MOVED, .first = MOVED},
    {"once its rest, then no more", "fail", MH_OP_write, .how = NOTHING, .first = MOVED},
    {"refused", "pass", MH_OP_write, .how = NOTHING, .status = 507},
    {"broke", "pass", MH_OP_write, .how = NOTHING, .status = 500},
    {"told in a log", "pass", MH_OP_write, .how = NOTHING, .logged = true},
    {"the file written anew", "pass", MH_OP_write, .how = NOTHING, .anew = true},
    {"no fault, a full disk", "fail", MH_OP_write, .how = NOTHING, .real = true},
    {"a send, and its answer awaited", "fail", MH_OP_send, .how = NOTHING, .listened = true},
    {"the same, and it was told of", "fail", MH_OP_send, .how = NOTHING, .listened = true,
     .logged = true, .status = 503},
    {"a send that would go on", "unclear", MH_OP_send, .how = NOTHING, .awaited = true},
    {"the same, and it listened", "unclear", MH_OP_send, .how = NOTHING, .listened = true,
     .awaited = true},
    {"a send, and nothing more", "fail", MH_OP_send, .how = NOTHING},
    {"another connection", "pass", MH_OP_send, .how = NOTHING, .asked_again = true},
    {"a read of all there is", "fail", MH_OP_read, .how = NOTHING, .whole = true},
    {"a read of so much", "unclear", MH_OP_read, .how = NOTHING},
    {"a read, and another", "pass", MH_OP_read, .how = MOVED},
    {"what a recv gives", "not exercised", MH_OP_recv, .how = 0},
};

static void fall_short(struct story *s, const struct row *row, int how, int64_t conn)
{
    int64_t op = ++s->ids;

    story(s, op, "", .op = op, .kind = row->kind, .call = MH_CALL_write, .fd = 9, .conn = conn,
          .peer = conn ? OTHER : 0, .path = conn ? 0 : PATH, .asked = 200, .result = 7,
          .fault = !row->real, .effect = row->real ? 0 : MH_EFFECT_short + 1, .ordinal = op,
          .stack = IN_STOCK, .side = conn ? 1 : 0);
    if (how)
        story(s, rest, "", .op = op, .asked = 200, .moved = 7, .how = how, .whole = row->whole,
              .listened = row->listened, .awaited = row->awaited);
}

static void one(struct story *s, const struct row *row, bool hit)
{
    int64_t id = ++s->ids, begun = s->now;
    int64_t conn = row->kind == MH_OP_send || row->kind == MH_OP_recv ? ++s->ids : 0;
    int status = hit && row->status ? row->status : 201;

    story(s, unit_begin, "POST /orders", .unit = id, .conn = id);
    if (conn)
        story(s, connect, "", .conn = conn, .peer = OTHER, .side = 1, .stack = IN_STOCK);
    else
        story(s, file, "", .path = PATH, .fd = 9, .flags = 1, .stack = IN_STOCK);
    s->now += 2;
    if (hit && row->first)
        fall_short(s, row, row->first, conn);
    if (hit)
        fall_short(s, row, row->how, conn);
    s->now += 2;
    if (hit && row->anew)
        story(s, file, "", .path = PATH, .fd = 9, .flags = 1, .stack = IN_STOCK);
    if (hit && row->asked_again)
        story(s, connect, "", .conn = ++s->ids, .peer = OTHER, .side = 1, .stack = IN_STOCK);
    if (hit && row->logged)
        story(s, log, "OSError", .level = MH_LEVEL_error, .sink = 2);
    s->now += 1;
    story(s, unit_end, "POST /orders", .unit = id, .conn = id, .status = status,
          .latency_ns = (s->now - begun) * STORY_MS, .bytes = 20, .digest = 77, .retry_after_s = -1,
          .begun_at = STORY_MONO + begun * STORY_MS);
    s->now += 50;
}

static const char *judged(const struct row *row)
{
    static char got[32];
    struct story s = {.born = 0};
    json_t *document;

    story_open(&s, "a");
    prologue(&s);
    story(&s, path, "/srv/data/orders.txt", .path = PATH);
    s.tid = WORKER;
    while (s.now < CALM_MS)
        one(&s, row, false);
    for (int i = 0; i < 5; i++)
        one(&s, row, true);
    s.now = FAULT_MS + 500;
    for (int i = 0; i < 5; i++)
        one(&s, row, false);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    snprintf(got, sizeof(got), "%s", verdict(document, "MH-2008"));
    json_decref(document);
    story_remove(&s);
    return got;
}

static void what_follows(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_follows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
