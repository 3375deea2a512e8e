/* SPDX-License-Identifier: Apache-2.0 */
/* A play performed and graded: calm, then under fault, then watched for a while. */
#pragma once

#include "grading.h"
#include "play.h"

static inline json_t *perform(const struct play *p)
{
    struct story s = {0};
    json_t *document;

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, p->calm, 10);
    s.now = CALM_MS;
    for (int i = 0; i < (p->hits ? p->hits : HIT); i++) {
        s.tid = p->spread ? WORKER + 1 : WORKER;
        unit(&s, p->hit, 10);
    }
    assert_true(s.now < FAULT_MS || p->hits == 1);
    s.tid = WORKER;
    for (s.now = MH_MAX(s.now, FAULT_MS); s.now < (p->recovery_ms ? p->recovery_ms : RECOVERED_MS);
         s.now += 400)
        unit(&s, p->later ? p->later : p->calm, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    document = grade_story(&s);
    story_remove(&s);
    return document;
}

/* Each play gets the verdict that it names. */
static inline void plays_hold(const struct play *p, size_t n)
{
    for (; n--; p++) {
        json_t *document = perform(p);
        const char *got = verdict(document, p->rule);

        if (strcmp(got, p->expected))
            fail_msg("%s, %s: expected %s, got %s", p->rule, p->name, p->expected, got);
        json_decref(document);
    }
}
