/* SPDX-License-Identifier: Apache-2.0 */
/* MH-1003: how many records are a storm depends on how many things failed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "stage.h"

#include "base/banned.h"

static void record(struct story *s)
{
    story(s, log, "ConnectionRefusedError", .level = MH_LEVEL_warning, .sink = 2, .same = 9);
}

static void calls_four(struct story *s, struct answer *a)
{
    for (int i = 0; i < 4; i++)
        ask_at(s, PRICES, 0, 2);
}
/* Each call fails, and each is recorded, `tries` times. */
static void fails(struct story *s, struct answer *a, int calls, int tries)
{
    for (int i = 0; i < calls * tries; i++) {
        refuse(s, PRICES);
        record(s);
        s->now++;
    }
    a->status = 503;
}
static void four_fail(struct story *s, struct answer *a)
{
    fails(s, a, 4, 1);
}
static void four_fail_thrice(struct story *s, struct answer *a)
{
    fails(s, a, 4, 3);
}
static void one_is_tried_four_times(struct story *s, struct answer *a)
{
    fails(s, a, 1, 4);
}
/* Twelve tries at a name with two addresses, and a record of each try. */
static void both_addresses(struct story *s, struct answer *a)
{
    for (int i = 0; i < 12; i++) {
        refuse(s, PRICES);
        refuse(s, PRICES_TOO);
        record(s);
        s->now += 60;
    }
    a->status = 503;
}

static const struct play plays[] = {
    {"four calls, each recorded once", "MH-1003", "unclear", calls_four, four_fail},
    {"four calls, each tried thrice", "MH-1003", "fail", calls_four, four_fail_thrice},
    {"one call, each try recorded", "MH-1003", "fail", well, one_is_tried_four_times},
    {"addresses are not things that failed", "MH-1003", "fail", well, both_addresses, .hits = 3},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
