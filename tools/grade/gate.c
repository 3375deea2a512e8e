/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a pipeline over a document, graded now or long ago; see grade.h. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "grade/compare.h"
#include "grade/grade.h"

#include "base/banned.h"

enum { GATE_FAILED = 10, GATE_UNJUDGED = 11, GATE_UNHEALTHY = 12 };

/* Is it one that a pipeline is to stop for: sure enough, not waived, and, where there is an earlier
 * run to compare with, not as bad as it was before? */
static bool counts(const json_t *document, const json_t *finding)
{
    const json_t *waiver = json_object_get(finding, "waiver");

    if (!strcmp(mh_document_text(finding, "confidence"), "low"))
        return false;
    if (waiver && !json_is_true(json_object_get(waiver, "expired")))
        return false;
    return !json_object_get(document, "comparison") ||
           strcmp(mh_document_text(finding, "state"), "unchanged");
}

int mh_gate(const json_t *document, const char *fail_on)
{
    const json_t *run = json_object_get(document, "run");
    const json_t *score = json_object_get(document, "score");
    const json_t *findings = json_object_get(document, "findings"), *lost;
    int least = fail_on && strcasecmp(fail_on, "none") ? mh_severity_named(fail_on) : 0;
    size_t i;
    json_t *f;

    if (least <= 0)
        return least;
    if (json_is_false(json_object_get(run, "finished")))
        return GATE_UNJUDGED; /* how processes ended may be the end of mishap itself */
    if (json_is_false(json_object_get(run, "healthy")))
        return GATE_UNHEALTHY;
    json_array_foreach(findings, i, f)
    {
        int severity = mh_severity_named(mh_document_text(f, "severity"));

        if (severity >= least && counts(document, f))
            return GATE_FAILED;
    }
    /* a stage in which nothing fired, or nothing could be judged, must not be green */
    if (json_integer_value(json_object_get(run, "fired")) == 0 ||
        json_is_null(json_object_get(score, "points")) ||
        json_array_size(json_object_get(run, "cut")))
        return GATE_UNJUDGED;
    /* nor one in which a fault that used to fire did not */
    lost = json_object_get(json_object_get(document, "comparison"), "lost_faults");
    return json_array_size(lost) ? GATE_UNJUDGED : 0;
}
