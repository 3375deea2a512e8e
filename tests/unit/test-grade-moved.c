/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0205: a name that got another address, and who goes on to the old one. */
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

/* What is done once a second from the change on, a letter each: o to the old address, in vain;
 * O the same, and it works; n to the new one; a the name is asked for; . nothing; space: 30 s. */
struct row {
    const char *name, *expected, *does;
};

static const struct row rows[] = {
    {"for ever the old one", "fail Medium", "oooo  oooo"},
    {"the old one, for a minute", "not exercised", "oooo o"},
    {"three times are enough", "fail Medium", "  ooo"},
    {"twice are not", "unclear", "  oo"},
    {"asked again and the new one", "pass", "ooannn  nnn"},
    {"asked at last", "pass", "oo  oannnnnnn"},
    {"mostly the old one", "fail Medium", "  oooooonn"},
    {"asked again, and the old one all the same", "unclear", "a  aoaoaoao"},
    {"the old one works still", "not exercised", "  OOOO"},
    {"nobody connects", "not exercised", "a  a"},
    {"nothing has moved", "not exercised", ""},
};

static void answer_now(struct story *s, int64_t conn)
{
    story(s, request, "GET /json", .conn = conn, .peer = PRICES, .exchange = 1, .stack = IN_PRICES);
    s->now += 2;
    story(s, response, "", .conn = conn, .peer = PRICES, .exchange = 1, .status = 200,
          .latency_ns = 2 * STORY_MS, .stack = IN_PRICES);
}

static void connects(struct story *s, int64_t ago_ms, int err)
{
    int64_t unit = ++s->ids, conn = ++s->ids, begun = story_at(s);

    story(s, unit_begin, "GET /product/7", .unit = unit, .conn = unit);
    story(s, connect, "prices", .conn = conn, .peer = PRICES, .side = 1, .stack = IN_PRICES,
          .err = err, .unit = unit, .moved_ns = ago_ms * STORY_MS);
    if (!err)
        answer_now(s, conn);
    s->now += 2;
    story(s, unit_end, "GET /product/7", .unit = unit, .conn = unit, .status = err ? 503 : 200,
          .latency_ns = story_at(s) - begun, .begun_at = begun, .digest = 7, .nkeys = 2);
}

static const char *judged(const struct row *row)
{
    static char got[64];
    struct story s = {.born = 0};
    json_t *document;
    const json_t *f;
    int64_t moved_at;

    fault_ms = 200000;
    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    story(&s, dns, "prices", .stack = IN_PRICES);
    while (s.now < CALM_MS)
        unit(&s, well, 10);
    moved_at = s.now;
    for (const char *c = row->does; *c; c++) {
        int64_t ago = s.now - moved_at + 1;

        if (*c == 'a')
            story(&s, dns, "prices", .stack = IN_PRICES);
        else if (*c != '.' && *c != ' ')
            connects(&s, *c == 'n' ? -ago : ago, *c == 'o' ? ECONNREFUSED : 0);
        s.now += *c == ' ' ? 30000 : 1000;
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    f = finding(document, "MH-0205");
    snprintf(got, sizeof(got), "%s%s%s", verdict(document, "MH-0205"), f ? " " : "",
             f ? json_string_value(json_object_get(f, "severity")) : "");
    json_decref(document);
    story_remove(&s);
    return got;
}

static void moved(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = judged(&rows[i]);

        if (strcmp(got, rows[i].expected))
            fail_msg("%s: expected %s, got %s", rows[i].name, rows[i].expected, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moved)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
