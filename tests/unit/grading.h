/* SPDX-License-Identifier: Apache-2.0 */
/* A story graded, and its document asked, for the grader's tests. */
#pragma once

#include <string.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "story.h"

static inline json_t *grade_story(const struct story *s)
{
    const char *dirs[] = {s->dir};
    struct mh_model *m = NULL;
    json_t *document = NULL;
    char *text;

    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_int_equal(mh_grade(m, NULL, &document), 0);
    mh_model_free(m);
    text = json_dumps(document, 0); /* every text is proper UTF-8 */
    assert_non_null(text);
    free(text);
    return document;
}

/* "fail", "pass", ... of a rule; the worst over its sites. Lives as long as the program. */
static inline const char *verdict(const json_t *document, const char *rule)
{
    static const char *const lists[][2] = {{"findings", "fail"},
                                           {"unclear", "unclear"},
                                           {"passed", "pass"},
                                           {"not_exercised", "not exercised"},
                                           {"not_applicable", "not applicable"}};

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const json_t *list = json_object_get(document, lists[i][0]);
        size_t k;
        json_t *v;

        json_array_foreach(list, k, v) if (!strcmp(json_string_value(json_object_get(v, "rule")),
                                                   rule)) return lists[i][1];
    }
    return "absent";
}

/* The verdict of RULE on a story that is told to its end; nothing is left of it. */
static inline const char *story_verdict(struct story *s, const char *rule)
{
    json_t *document = grade_story(s);
    const char *got = verdict(document, rule);

    json_decref(document);
    story_remove(s);
    return got;
}

static inline const json_t *finding(const json_t *document, const char *rule)
{
    size_t k;
    json_t *v;

    json_array_foreach(
        json_object_get(document, "findings"), k,
        v) if (!strcmp(json_string_value(json_object_get(v, "rule")), rule)) return v;
    return NULL;
}
