/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings that are too large to be kept whole: the model does not grow with them, nothing is
 * torn apart, and what is found is the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grading.h"
#include "play.h"

#include "base/banned.h"

enum { FEW = 400, EACH_MS = 500, BADS = 12, IN_RARE = 77 };

/* A server for so many units; a dozen of them fail at nine tenths of the time, and one call in the
 * middle comes from a place of its own. */
static void tell(struct story *s, int units)
{
    story_open(s, "a");
    prologue(s);
    story(s, stack, "nightly\t/srv/shop/nightly.py\t7\n<module>\t/srv/shop/main.py\t1",
          .stack = IN_RARE, .frames = 2);
    s->tid = WORKER;
    for (int i = 0; i < units; i++) {
        bool bad = i >= units / 10 * 9 && i < units / 10 * 9 + BADS;

        if (i == units / 2)
            story(s, sleep, "", .requested_ns = STORY_MS, .stack = IN_RARE);
        unit(s, bad ? uncontrolled : well, 10);
        s->now += EACH_MS;
    }
    story(s, exit, "", .status = 0);
    story_close(s);
}

static struct mh_model *load(const struct story *s, uint64_t keep)
{
    const char *dirs[] = {s->dir};
    struct mh_model_options options = {.keep = keep};
    struct mh_model *m = NULL;

    assert_int_equal(mh_model_load(dirs, 1, &options, &m), 0);
    return m;
}

static size_t failed(const struct mh_model *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->units.n; i++)
        n += mh_unit_failed(&m->units.v[i]);
    return n;
}

/* Every call has its end, and its unit. */
static void is_whole(const struct mh_model *m)
{
    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->kind == MH_ACT_attempt) {
            assert_true(a->answered || a->failed);
            assert_int_not_equal(a->unit, 0);
        }
    }
    for (size_t i = 0; i < m->units.n; i++)
        assert_false(m->units.v[i].open || m->units.v[i].sealed);
}

static void flat(void **state)
{
    struct story once = {0}, often = {0};
    struct mh_model *whole, *few, *many;

    tell(&once, 6000);
    tell(&often, 24000);
    whole = load(&once, 0);
    few = load(&once, FEW);
    many = load(&often, FEW);
    assert_int_equal(whole->skimmed, 0);
    assert_true(few->skimmed > 0);
    assert_true(few->units.n < whole->units.n / 2);
    assert_int_equal(few->events, whole->events);
    /* four times the events, and no more of them kept; around the failures all are */
    assert_true(many->units.n <= few->units.n + 10 && many->acts.n <= few->acts.n + 20);
    assert_int_equal(failed(few), BADS);
    assert_int_equal(failed(many), BADS);
    is_whole(few);
    is_whole(many);
    mh_model_free(whole);
    mh_model_free(few);
    mh_model_free(many);
    story_remove(&once);
    story_remove(&often);
}

/* A fault is in force, and hits nobody: who was not hit may matter. */
static void in_force(void **state)
{
    struct story s = {0};
    struct mh_model *m;
    unsigned kept = 0;

    story_open(&s, "a");
    story(&s, fault, "broken\nbad.ini\nit is broken", .fault = 0, .line = 3);
    story(&s, phase, "bad\nbroken", .phase = 0, .start_ns = 2000 * 1000 * STORY_MS,
          .for_ns = 300 * 1000 * STORY_MS);
    story(&s, origin, "", .origin_at = STORY_MONO);
    for (int i = 0; i < 6000; i++) {
        unit(&s, NULL, 10);
        s.now += EACH_MS;
    }
    story_close(&s);
    m = load(&s, FEW);
    for (size_t i = 0; i < m->units.n; i++) {
        int64_t ms = (m->units.v[i].begun - STORY_WALL) / STORY_MS;

        kept += ms >= 2000000 && ms < 2300000;
    }
    assert_true(m->skimmed > 0 && m->units.n < 3000);
    assert_true(kept > 290000 / (EACH_MS + 8));
    mh_model_free(m);
    story_remove(&s);
}

/* What is done once, when nothing else happens. */
static void rare(void **state)
{
    struct story s = {0};
    struct mh_model *m;
    unsigned sleeps = 0;

    tell(&s, 6000);
    m = load(&s, FEW);
    for (size_t i = 0; i < m->acts.n; i++)
        sleeps += m->acts.v[i].kind == MH_ACT_sleep;
    assert_int_equal(sleeps, 1);
    mh_model_free(m);
    story_remove(&s);
}

static json_t *judged(const struct story *s, uint64_t keep)
{
    struct mh_model *m = load(s, keep);
    json_t *document = NULL;

    assert_int_equal(mh_grade(m, NULL, &document), 0);
    mh_model_free(m);
    return document;
}

static void same_verdicts(void **state)
{
    static const char *const lists[] = {"findings", "unclear", "passed", "not_exercised",
                                        "not_applicable"};
    struct story s = {0};
    json_t *whole, *skimmed;

    tell(&s, 6000);
    whole = judged(&s, 0);
    skimmed = judged(&s, FEW);
    assert_string_equal(verdict(whole, "MH-0101"), "fail");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const json_t *a = json_object_get(whole, lists[i]);
        size_t k;
        json_t *v;

        assert_int_equal(json_array_size(a), json_array_size(json_object_get(skimmed, lists[i])));
        json_array_foreach(a, k, v)
        {
            const char *rule = json_string_value(json_object_get(v, "rule"));

            assert_string_equal(verdict(whole, rule), verdict(skimmed, rule));
        }
    }
    json_decref(whole);
    json_decref(skimmed);
    story_remove(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat),
        cmocka_unit_test(in_force),
        cmocka_unit_test(rare),
        cmocka_unit_test(same_verdicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
