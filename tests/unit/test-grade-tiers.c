/* SPDX-License-Identifier: Apache-2.0 */
/* The plays of the grader with less evidence: where stacks are not known, or nobody could follow
 * what became of errors, a verdict is the same or unclear, never another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "plays.h"
#include "stage.h"
#include "story.h"

#include "base/banned.h"

/* Why a rule is unclear; "" when it is not, or gives no reason. */
static const char *reason(const json_t *document, const char *rule)
{
    size_t k;
    json_t *v;

    json_array_foreach(json_object_get(document, "unclear"), k,
                       v) if (!strcmp(json_string_value(json_object_get(v, "rule")),
                                      rule)) return json_string_value(json_object_get(v, "reason"));
    return "";
}

static unsigned play_all(int without)
{
    unsigned unclear = 0;

    for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
        const struct play *p = &plays[i];
        json_t *document;
        const char *got;

        story_without = without;
        document = perform(p);
        story_without = 0;
        got = verdict(document, p->rule);
        if (strcmp(got, p->expected) && strcmp(got, "unclear"))
            fail_msg("%s, %s: expected %s or unclear, got %s", p->rule, p->name, p->expected, got);
        unclear += !strcmp(got, "unclear") && strcmp(p->expected, "unclear");
        json_decref(document);
    }
    return unclear;
}

static void without_outcomes(void **state)
{
    unsigned unclear = play_all(STORY_OUTCOMES);

    assert_in_range(unclear, 10, ARRAY_SIZE(plays) / 2); /* most need them not */
}

static void without_stacks(void **state)
{
    assert_in_range(play_all(STORY_STACKS), 20, ARRAY_SIZE(plays));
}

/* What is seen by calls and requests alone is judged all the same. */
static void direct_proof(void **state)
{
    static const struct play waits = {.calm = unlimited, .hit = unlimited};
    static const struct play crash = {.calm = well, .hit = uncontrolled};
    json_t *document;

    story_without = STORY_STACKS;
    document = perform(&waits);
    assert_string_equal(verdict(document, "MH-0601"), "fail");
    json_decref(document);
    document = perform(&crash);
    story_without = 0;
    assert_string_equal(verdict(document, "MH-0101"), "fail");
    json_decref(document);
}

static void reasons(void **state)
{
    static const struct play quiet = {.calm = well, .hit = swallowed};
    json_t *document;

    story_without = STORY_OUTCOMES;
    document = perform(&quiet);
    assert_string_equal(reason(document, "MH-0103"),
                        "needs outcomes, which this run lacks: somebody traces (pid 4711)");
    json_decref(document);
    story_without = STORY_STACKS;
    document = perform(&quiet);
    story_without = 0;
    assert_string_equal(reason(document, "MH-0502"),
                        "needs stacks, which this run lacks: an unknown Python (pid 4711)");
    /* whether it runs coroutines is known by stacks: not known to be no loop */
    assert_string_equal(verdict(document, "MH-2004"), "unclear");
    json_decref(document);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_outcomes),
        cmocka_unit_test(without_stacks),
        cmocka_unit_test(direct_proof),
        cmocka_unit_test(reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
