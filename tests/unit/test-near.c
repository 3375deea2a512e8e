/* SPDX-License-Identifier: Apache-2.0 */
/* base/near.c: the distances that "did you mean" is decided by. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/near.h"

#include "base/banned.h"

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"", "", 0},
        {"", "run", 3},
        {"run", "run", 0},
        {"RUN", "run", 0},
        {"rum", "run", 1},
        {"rnu", "run", 1},
        {"reprot", "report", 1},
        {"repot", "report", 1},
        {"events", "event", 1},
        {"chekc", "check", 1},
        {"list", "explain", 6},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(mh_near_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(mh_near_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
}

static void long_words(void **state)
{
    char word[65];

    memset(word, 'x', 64);
    word[64] = 0;
    assert_int_equal(mh_near_distance(word, "run"), UINT_MAX);
    word[63] = 0;
    assert_int_equal(mh_near_distance(word, ""), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(distances), cmocka_unit_test(long_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
