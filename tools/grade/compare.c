/* SPDX-License-Identifier: Apache-2.0 */
/* This run against an earlier one; see compare.h. Findings are the same when their ids are: rule,
 * site without line numbers, and peer. */
#include "grade/compare.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macros.h"
#include "grade/grade.h"

#include "base/banned.h"

static const json_t *with_id(const json_t *list, const char *id)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (*id && !strcmp(mh_document_text(one, "id"), id))
            return one;
    }
    return NULL;
}

static int severity_of(const json_t *finding)
{
    for (int i = MH_SEVERITY_low; i <= MH_SEVERITY_critical; i++)
        if (!strcmp(mh_document_text(finding, "severity"), mh_severity_words[i]))
            return i;
    return -1;
}

static bool partial(const json_t *finding)
{
    return !strcmp(mh_document_text(finding, "verdict"), "partial");
}

static const char *state_of(const json_t *now, const json_t *then)
{
    if (!then)
        return "new";
    return severity_of(now) > severity_of(then) || (partial(then) && !partial(now)) ? "worse"
                                                                                    : "unchanged";
}

/* What is left of an earlier finding that this run does not have. */
static json_t *past(const json_t *finding, const char *reason)
{
    const json_t *site = json_object_get(finding, "site");
    json_t *one = json_object();
    static const char *const keys[] = {"id", "rule", "title", "severity", "type", "peer"};

    for (size_t i = 0; one && i < ARRAY_SIZE(keys); i++)
        json_object_set(one, keys[i], json_object_get(finding, keys[i]));
    json_object_set(one, "function", json_object_get(site, "function"));
    json_object_set(one, "file", json_object_get(site, "file"));
    if (reason)
        json_object_set_new(one, "reason", json_string(reason));
    return one;
}

static const char *why_not_tested(const json_t *document, const json_t *finding)
{
    static const struct {
        const char *list, *why;
    } rows[] = {
        {"unclear", "unclear this time"},
        {"not_exercised", "its fault did not fire there this time"},
        {"not_applicable", "what it is about was not seen this time"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const json_t *list = json_object_get(document, rows[i].list), *one;
        size_t k;

        json_array_foreach(list, k, one)
        {
            bool here = !strcmp(mh_document_text(one, "id"), mh_document_text(finding, "id"));
            bool whole = !*mh_document_text(one, "site") &&
                         !strcmp(mh_document_text(one, "rule"), mh_document_text(finding, "rule"));

            if (here || whole)
                return rows[i].why;
        }
    }
    return "this place was not reached this time";
}

static bool fired(const json_t *document, const char *fault)
{
    const json_t *list = json_object_get(document, "cases"), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!strcmp(mh_document_text(one, "fault"), fault) &&
            json_integer_value(json_object_get(one, "fired")) > 0)
            return true;
    }
    return false;
}

static bool has_text(const json_t *list, const char *text)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!strcmp(json_string_value(one), text))
            return true;
    }
    return false;
}

/* Faults that fired then and did not now: what they would have shown is not known any more. */
static json_t *lost_faults(const json_t *document, const json_t *baseline)
{
    const json_t *list = json_object_get(baseline, "cases"), *one;
    json_t *lost = json_array();
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *fault = mh_document_text(one, "fault");

        if (lost && *fault && json_integer_value(json_object_get(one, "fired")) > 0 &&
            !fired(document, fault) && !has_text(lost, fault))
            json_array_append_new(lost, json_string(fault));
    }
    return lost;
}

static json_t *summary_of(const json_t *baseline)
{
    const json_t *run = json_object_get(baseline, "run");
    const json_t *score = json_object_get(baseline, "score");
    json_t *summary = json_object();
    static const char *const of_score[] = {"grade", "points", "evidence"};

    json_object_set(summary, "id", json_object_get(run, "id"));
    json_object_set(summary, "started", json_object_get(run, "started"));
    for (size_t i = 0; i < ARRAY_SIZE(of_score); i++)
        json_object_set(summary, of_score[i], json_object_get(score, of_score[i]));
    return summary;
}

/* Did the rule pass for the application as a whole, and so everywhere? */
static bool passed_as_whole(const json_t *passed, const char *rule)
{
    const json_t *one;
    size_t i;

    json_array_foreach(passed, i, one)
    {
        if (!*mh_document_text(one, "site") && !strcmp(mh_document_text(one, "rule"), rule))
            return true;
    }
    return false;
}

/* Earlier findings that are not open any more, into `fixed` and `untested`. */
static void sort_past(const json_t *document, const json_t *baseline, json_t *fixed,
                      json_t *untested)
{
    const json_t *passed = json_object_get(document, "passed");
    const json_t *list = json_object_get(baseline, "findings"), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *id = mh_document_text(one, "id");

        if (with_id(json_object_get(document, "findings"), id))
            continue;
        if (with_id(passed, id) || passed_as_whole(passed, mh_document_text(one, "rule")))
            json_array_append_new(fixed, past(one, NULL));
        else
            json_array_append_new(untested, past(one, why_not_tested(document, one)));
    }
}

int mh_compare(json_t *document, const json_t *baseline)
{
    json_t *findings = json_object_get(document, "findings"), *one, *comparison;
    const json_t *earlier = json_object_get(baseline, "findings");
    json_t *fixed = json_array(), *untested = json_array();
    json_int_t counts[3] = {0};
    static const char *const states[] = {"new", "worse", "unchanged"};
    size_t i;

    json_array_foreach(findings, i, one)
    {
        const char *state = state_of(one, with_id(earlier, mh_document_text(one, "id")));

        for (size_t k = 0; k < ARRAY_SIZE(states); k++)
            counts[k] += !strcmp(states[k], state);
        if (json_object_set_new(one, "state", json_string(state)) < 0) {
            json_decref(fixed);
            json_decref(untested);
            return -ENOMEM;
        }
    }
    sort_past(document, baseline, fixed, untested);
    comparison =
        json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "baseline", summary_of(baseline), "new",
                  counts[0], "worse", counts[1], "unchanged", counts[2], "fixed", fixed,
                  "not_retested", untested, "lost_faults", lost_faults(document, baseline));
    if (!comparison || json_object_set_new(document, "comparison", comparison) < 0)
        return -ENOMEM;
    return 0;
}
