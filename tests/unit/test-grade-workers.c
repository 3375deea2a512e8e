/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about workers that are killed. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(workers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
