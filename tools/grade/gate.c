/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a pipeline over a document, graded now or long ago; see grade.h. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "grade/grade.h"

#include "base/banned.h"

enum { GATE_FAILED = 10, GATE_UNJUDGED = 11, GATE_UNHEALTHY = 12 };

static int severity_named(const char *name)
{
    for (int i = MH_SEVERITY_low; i <= MH_SEVERITY_critical; i++)
        if (!strcasecmp(name, mh_severity_words[i]))
            return i;
    return -EINVAL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

int mh_gate(const json_t *document, const char *fail_on)
{
    const json_t *run = json_object_get(document, "run");
    const json_t *score = json_object_get(document, "score");
    const json_t *findings = json_object_get(document, "findings");
    int least = fail_on && strcasecmp(fail_on, "none") ? severity_named(fail_on) : 0;
    size_t i;
    json_t *f;

    if (least <= 0)
        return least;
    if (json_is_false(json_object_get(run, "healthy")))
        return GATE_UNHEALTHY;
    json_array_foreach(findings, i, f)
    {
        int severity = severity_named(text_of(f, "severity"));

        if (severity >= least && strcmp(text_of(f, "confidence"), "low"))
            return GATE_FAILED;
    }
    /* a stage in which nothing fired, or nothing could be judged, must not be green */
    if (json_integer_value(json_object_get(run, "fired")) == 0 ||
        json_is_null(json_object_get(score, "points")))
        return GATE_UNJUDGED;
    return 0;
}
