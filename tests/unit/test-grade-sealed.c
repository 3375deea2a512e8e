/* SPDX-License-Identifier: Apache-2.0 */
/* Every play once more behind TLS, where nobody sees what was asked and answered: nothing is found
 * that is not there in plain text, and nothing is called well that is found there. And WebSockets:
 * connections that last. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "plays.h"
#include "stage.h"

#include "base/banned.h"

static bool lists(const json_t *document, const char *list, const char *rule)
{
    size_t i;
    json_t *one;

    json_array_foreach(
        json_object_get(document, list), i,
        one) if (!strcmp(json_string_value(json_object_get(one, "rule")), rule)) return true;
    return false;
}

/* How many rules of one list of a document are in one of the other. */
static unsigned both(const struct play *p, const json_t *a, const char *list_a, const json_t *b,
                     const char *list_b, bool wanted, const char *what)
{
    unsigned n = 0;
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(a, list_a), i, one)
    {
        const char *rule = json_string_value(json_object_get(one, "rule"));

        if (lists(b, list_b, rule) == wanted)
            continue;
        print_error("%s (%s): %s %s\n", p->name, p->rule, rule, what);
        n++;
    }
    return n;
}

static void nothing_new(void **state)
{
    unsigned wrong = 0, unclear = 0;

    for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
        json_t *in_plain, *sealed;

        by_tls = false;
        in_plain = perform(&plays[i]);
        by_tls = true;
        sealed = perform(&plays[i]);
        by_tls = false;
        wrong += both(&plays[i], sealed, "findings", in_plain, "findings", true,
                      "is found behind TLS only");
        wrong += both(&plays[i], in_plain, "findings", sealed, "passed", false,
                      "is called well behind TLS");
        unclear += json_array_size(json_object_get(sealed, "unclear")) >
                   json_array_size(json_object_get(in_plain, "unclear"));
        json_decref(in_plain);
        json_decref(sealed);
    }
    assert_int_equal(wrong, 0);
    assert_true(unclear > ARRAY_SIZE(plays) / 4); /* it is said, that is */
}

/* ---- a WebSocket ---- */

enum { TALK = 7000, TALK_TASK = 7001 };
static int64_t talk_begun = -1; /* it is not open */
static int closed_with, closed_how;

/* Open since the first request; its handler asks the prices now and then, in its own task. */
static void talks(struct story *s, struct answer *a)
{
    if (talk_begun < 0) {
        talk_begun = s->now;
        story(s, unit_begin, "WEBSOCKET /feed/9", .unit = TALK, .conn = TALK,
              .spoken = MH_SPOKEN_websocket);
    }
    ask_at(s, PRICES, TALK_TASK, 2);
    a->ms = 5;
}

static void talks_on(struct story *s, struct answer *a)
{
    fault_at(s, MH_OP_connect, ECONNREFUSED, MH_EFFECT_error, PRICES, ++s->ids, TALK_TASK);
    a->ms = 5;
}

static void talk_ends(struct story *s, struct answer *a)
{
    if (closed_how < 0 || talk_begun < 0)
        return;
    story(s, unit_end, "", .unit = TALK, .conn = TALK, .status = closed_with, .how = closed_how,
          .latency_ns = (s->now - talk_begun) * STORY_MS, .task = TALK_TASK,
          .begun_at = STORY_MONO + talk_begun * STORY_MS, .retry_after_s = -1);
    talk_begun = -1;
}

static int outcomes(const json_t *document, const char *word)
{
    const json_t *one = json_object_get(json_object_get(document, "outcomes"), word);

    return (int)json_integer_value(json_object_get(one, "count"));
}

/* What comes of it follows from how it was closed, and never from how long it was open. */
static void a_websocket(void **state)
{
    static const struct play talk = {"", "", "", talks, talks_on, talk_ends};
    static const struct {
        int code, how; /* -1: it is not closed at all */
        const char *state, *outcome;
    } rows[] = {{1011, 0, "failed", "broke"}, {1013, 0, "failed", "refused"},
                {0, 2, "failed", "broke"},    {1000, 0, "succeeded", NULL},
                {0, 0, "succeeded", NULL},    {0, 1, "succeeded", NULL},
                {4000, 0, "succeeded", NULL}, {0, -1, "unknown", NULL}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const json_t *unit;
        json_t *document;

        talk_begun = -1;
        closed_with = rows[i].code;
        closed_how = rows[i].how;
        document = perform(&talk);
        unit = json_array_get(json_object_get(document, "units"), 0);
        assert_string_equal(json_string_value(json_object_get(unit, "name")),
                            "WEBSOCKET /feed/{n}");
        assert_string_equal(json_string_value(json_object_get(unit, "state")), rows[i].state);
        assert_int_equal(outcomes(document, "hung"), 0);
        assert_int_equal(outcomes(document, "broke") + outcomes(document, "refused"),
                         rows[i].outcome != NULL);
        if (rows[i].outcome)
            assert_int_equal(outcomes(document, rows[i].outcome), 1);
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_new),
        cmocka_unit_test(a_websocket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
