/* SPDX-License-Identifier: Apache-2.0 */
/* Gauges for a scraper or node_exporter's textfile collector, which refuses time stamps on samples:
 * valid for both. One finished run is a state, not a series, so there are no counters. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report/doc.h"
#include "report/report.h"
#include "report/utf8.h"

#include "base/banned.h"

static const char *const grades[] = {"A", "B", "C", "D", "F", "NG"};
static const char *const types[] = {"Architecture", "Communication", "Execution", "Persistence"};

static void put_head(struct mh_out *out, const char *name, const char *help)
{
    mh_out_printf(out, "# TYPE mishap_%s gauge\n# HELP mishap_%s %s\n", name, name, help);
}

static void put_number(struct mh_out *out, const char *name, const char *help, const json_t *object,
                       const char *key)
{
    if (!mh_doc_known(object, key)) /* unknown is absent, never zero */
        return;
    put_head(out, name, help);
    mh_out_printf(out, "mishap_%s %.12g\n", name, mh_doc_number(object, key, 0));
}

static void put_label(struct mh_out *out, const char *text)
{
    int n;

    for (; *text; text += n) {
        if (!mh_utf8_harmless(mh_utf8_next(text, &n)))
            mh_out_add(out, " ");
        else if (*text == '"' || *text == '\\')
            mh_out_printf(out, "\\%c", *text);
        else
            mh_out_add_n(out, text, (size_t)n);
    }
}

static void put_grade(struct mh_out *out, const json_t *score)
{
    const char *grade = mh_doc_text(score, "grade");

    put_head(out, "grade", "The grade: 1 for the one that was given.");
    for (size_t i = 0; i < ARRAY_SIZE(grades); i++)
        mh_out_printf(out, "mishap_grade{grade=\"%s\"} %d\n", grades[i], !strcmp(grades[i], grade));
}

static void put_principles(struct mh_out *out, const json_t *list, const char *name,
                           const char *help, const char *key)
{
    const json_t *one;
    size_t i;

    put_head(out, name, help);
    json_array_foreach(list, i, one)
    {
        if (!mh_doc_known(one, key))
            continue;
        mh_out_printf(out, "mishap_%s{principle=\"%lld\",name=\"", name, mh_doc_int(one, "number"));
        put_label(out, mh_doc_text(one, "name"));
        mh_out_printf(out, "\"} %.12g\n", mh_doc_number(one, key, 0));
    }
}

static void put_findings(struct mh_out *out, const json_t *findings)
{
    const json_t *one;
    size_t i;

    put_head(out, "findings", "Open findings.");
    for (size_t s = 0; mh_severity_names[s]; s++) {
        for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
            int n = 0;

            json_array_foreach(findings, i, one) n +=
                !strcmp(mh_doc_text(one, "severity"), mh_severity_names[s]) &&
                !strcmp(mh_doc_text(one, "type"), types[t]) &&
                strcmp(mh_doc_text(one, "state"), "fixed");
            mh_out_printf(out, "mishap_findings{severity=\"%s\",type=\"%s\"} %d\n",
                          mh_severity_names[s], types[t], n);
        }
    }
}

static void put_outcomes(struct mh_out *out, const json_t *document)
{
    const json_t *outcomes = json_object_get(document, "outcomes");
    const json_t *cases = json_object_get(document, "cases"), *one;
    size_t i, idle = 0;

    put_head(out, "faults", "Faults by what became of them.");
    for (i = 0; mh_outcome_names[i]; i++)
        mh_out_printf(out, "mishap_faults{outcome=\"%s\"} %lld\n", mh_outcome_names[i],
                      mh_doc_int(json_object_get(outcomes, mh_outcome_names[i]), "count"));
    put_head(out, "cases", "Cases by their outcome.");
    for (i = 0; mh_outcome_names[i]; i++)
        mh_out_printf(out, "mishap_cases{outcome=\"%s\"} %zu\n", mh_outcome_names[i],
                      mh_doc_count(cases, "outcome", mh_outcome_names[i]));
    json_array_foreach(cases, i, one) idle += mh_doc_int(one, "fired") == 0;
    mh_out_printf(out, "mishap_cases{outcome=\"not_exercised\"} %zu\n", idle);
}

static void put_run(struct mh_out *out, const json_t *run)
{
    struct tm tm = {0};

    put_number(out, "faults_fired", "Faults that were injected.", run, "fired");
    put_number(out, "lost_events", "Events that were not recorded.", run, "lost_events");
    put_number(out, "run_duration_seconds", "How long the run took.", run, "duration_s");
    if (mh_doc_known(run, "healthy")) {
        put_head(out, "healthy", "Whether the application was well with no fault active.");
        mh_out_printf(out, "mishap_healthy %d\n", mh_doc_true(run, "healthy"));
    }
    if (strptime(mh_doc_text(run, "started"), "%Y-%m-%dT%H:%M:%S", &tm)) {
        put_head(out, "run_timestamp_seconds", "When the run began, in seconds since 1970.");
        mh_out_printf(out, "mishap_run_timestamp_seconds %lld\n", (long long)timegm(&tm));
    }
}

int mh_format_openmetrics(const json_t *document, const struct mh_report_options *options,
                          struct mh_out *out)
{
    const json_t *score = json_object_get(document, "score");
    const json_t *principles = json_object_get(score, "principles");

    put_number(out, "score", "Points, 0 to 100, over what was judged.", score, "points");
    put_number(out, "score_low", "The score if all that was not judged failed.", score, "low");
    put_number(out, "score_high", "The score if all that was not judged passed.", score, "high");
    put_number(out, "evidence_ratio", "Share of what applies that was judged.", score, "evidence");
    put_number(out, "survival_ratio", "Mean worth of the outcomes.", score, "survival_index");
    put_grade(out, score);
    put_principles(out, principles, "principle_score", "Points of a principle.", "score");
    put_principles(out, principles, "principle_evidence_ratio", "Evidence of a principle.",
                   "evidence");
    put_findings(out, json_object_get(document, "findings"));
    put_outcomes(out, document);
    put_run(out, json_object_get(document, "run"));
    mh_out_add(out, "# EOF\n");
    return 0;
}
