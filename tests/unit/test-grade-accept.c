/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0803 where the answer comes first, and what was accepted is handed to the broker afterwards,
 * by a task that the request left behind. */
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

enum { LOST = 12, WATCHED_MS = 24000, EACH_MS = 200 };

/* When the message leaves; what becomes of it where it fails. */
enum when { AFTERWARDS, IN_TASK, IN_REQUEST, FIRST_ONLY };
enum then { GONE, TRIED_AGAIN, STILL_TRIED, BY_ANOTHER, BEHIND_A_FILE };

static const struct row {
    const char *name, *expected, *path;
    int status;
    enum when when;
    enum then then;
    bool other_body, unseen, cut; /* unseen: nobody saw who began the task; cut: watched briefly */
} rows[] = {
    {"gone", "fail", "POST /claim/7", 202, AFTERWARDS, GONE},
    {"gone, in the request's own task", "fail", "POST /claim/7", 202, IN_TASK, GONE},
    {"tried again", "pass", "POST /claim/7", 202, AFTERWARDS, TRIED_AGAIN},
    {"still tried at the end", "unclear", "POST /claim/7", 202, AFTERWARDS, STILL_TRIED},
    {"handed over by another", "pass", "POST /claim/7", 202, AFTERWARDS, BY_ANOTHER},
    {"a file first", "unclear", "POST /claim/7", 202, AFTERWARDS, BEHIND_A_FILE},
    {"not watched", "unclear", "POST /claim/7", 202, AFTERWARDS, GONE, .cut = true},
    {"another answer", "unclear", "POST /claim/7", 202, AFTERWARDS, GONE, .other_body = true},
    {"200 is no promise", "unclear", "POST /claim/7", 200, AFTERWARDS, GONE},
    {"a page that counts its views", "not exercised", "GET /page/7", 200, AFTERWARDS, GONE},
    {"handed over before, fails afterwards", "not exercised", "POST /claim/7", 202, IN_REQUEST,
     GONE},
    {"a task of all that the first one began", "not exercised", "POST /claim/7", 202, FIRST_ONLY,
     GONE},
    {"nobody knows whose", "not exercised", "POST /claim/7", 202, AFTERWARDS, GONE, .unseen = true},
};

static void push(struct story *s, int64_t task)
{
    int64_t conn = ++s->ids;

    story(s, request, "XADD", .conn = conn, .peer = STORE, .exchange = 1, .bytes = 80,
          .digest = conn, .stack = IN_CARTS, .task = task);
    story(s, response, "", .conn = conn, .peer = STORE, .exchange = 1, .latency_ns = STORY_MS,
          .stack = IN_CARTS, .task = task);
}

static void refused(struct story *s, int64_t task)
{
    int64_t conn = ++s->ids;

    fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, STORE, conn, task);
    story(s, connect, "", .conn = conn, .peer = STORE, .side = 1, .err = ECONNREFUSED,
          .stack = IN_CARTS, .task = task);
}

static void task_begun(struct story *s, int64_t piece, int64_t task, int64_t unit)
{
    story(s, begun, "", .piece = piece, .what = 1, .task = task, .unit = unit, .thread = s->tid,
          .begun_at = story_at(s));
}

static int64_t failed; /* the task whose message failed last */

/* One request, and what goes on when it has been answered. */
static void claim(struct story *s, const struct row *r, bool down, bool first)
{
    static int64_t flusher;
    int64_t id = ++s->ids, own = ++s->ids, left = r->when == IN_TASK ? own : ++s->ids;
    int64_t begun = s->now, digest = r->other_body && down ? 78 : 77;

    story(s, unit_begin, r->path, .unit = id, .conn = id, .fds = 9);
    task_begun(s, ++s->ids, own, id);
    if (r->when == IN_REQUEST)
        push(s, own);
    if (r->then == BEHIND_A_FILE)
        story(s, file, "/srv/shop/outbox/7.json", .flags = 01, .stack = IN_CARTS, .task = own);
    s->now += 1;
    story(s, unit_end, r->path, .unit = id, .conn = id, .status = r->status, .latency_ns = STORY_MS,
          .bytes = 20, .digest = digest, .retry_after_s = -1, .fds = 9, .task = own,
          .begun_at = STORY_MONO + begun * STORY_MS, .keys = 5, .nkeys = 2);
    s->now += 1;
    if (r->when != IN_TASK && !r->unseen && (r->when != FIRST_ONLY || first))
        task_begun(s, ++s->ids, left, id);
    flusher = first ? left : flusher;
    left = r->when == FIRST_ONLY ? flusher : left;
    failed = down ? left : failed;
    if (down)
        refused(s, left);
    if (down && r->then == TRIED_AGAIN) {
        s->now += 40;
        push(s, left);
    }
    if (!down && r->when != IN_REQUEST)
        push(s, left);
    s->now += 2;
}

static const char *graded(const struct row *r)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        claim(&s, r, false, !i);
    for (s.now = CALM_MS; s.now < CALM_MS + LOST * 50; s.now += 50)
        claim(&s, r, true, false);
    for (s.now = FAULT_MS; s.now < (r->cut ? FAULT_MS + 2000 : WATCHED_MS); s.now += EACH_MS)
        claim(&s, r, false, false);
    if (r->then == STILL_TRIED)
        refused(&s, failed);
    for (int i = 0; i < LOST && r->then == BY_ANOTHER; i++)
        push(&s, 9999); /* of no request */
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-0803");
}

static void answered_first(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = graded(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(answered_first)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
