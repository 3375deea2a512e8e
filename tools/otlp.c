/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as log records and the score as metrics, from the graded document; see otlp.h. */
#include "otlp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "files.h"
#include "report/doc.h"

#include "base/banned.h"

const char mh_otlp_doc[] = "OTLP/JSON lines: spans, findings as logs, the score as metrics";

struct source {
    const struct mh_model *model;
    const json_t *document;
};

bool mh_otlp_path(const char *path)
{
    size_t n = path ? strlen(path) : 0;

    return n > 5 && !strcmp(path + n - 5, ".otlp");
}

/* When the run ended, in ns since 1970; 0 not known, as OTLP has it. */
static int64_t end_of(const json_t *run)
{
    struct tm tm = {0};

    if (!strptime(mh_doc_text(run, "started"), "%Y-%m-%dT%H:%M:%S", &tm))
        return 0;
    return ((int64_t)timegm(&tm) * 1000000 +
            (int64_t)(MH_MIN(MH_MAX(mh_doc_number(run, "duration_s", 0), 0), 1e8) * 1e6)) *
           1000;
}

static json_t *resource(struct mh_otlp *o, const json_t *run)
{
    const json_t *word = json_array_get(json_object_get(run, "command"), 0);
    const char *name = json_is_string(word) ? json_string_value(word) : "";
    json_t *attributes = json_array();

    mh_otlp_text(o, attributes, "service.name", *name ? name : "unknown_service");
    mh_otlp_text(o, attributes, "mishap.run.id", mh_doc_text(run, "id"));
    return attributes;
}

static int severity_number(const char *severity)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"Critical", 21}, {"High", 17}, {"Medium", 13}, {"Low", 9}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!strcmp(severity, rows[i].name))
            return rows[i].number;
    return 0;
}

static json_t *finding_attributes(struct mh_otlp *o, const json_t *finding)
{
    static const char *const same[][2] = {{"mishap.finding.id", "id"},
                                          {"mishap.rule", "rule"},
                                          {"mishap.confidence", "confidence"},
                                          {"mishap.fragility", "type"},
                                          {"mishap.state", "state"}};
    const json_t *site = json_object_get(finding, "site");
    json_t *attributes = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        mh_otlp_text(o, attributes, same[i][0], mh_doc_text(finding, same[i][1]));
    mh_otlp_int(o, attributes, "mishap.principle", mh_doc_int(finding, "principle"));
    mh_otlp_text(o, attributes, "code.function.name", mh_doc_text(site, "function"));
    mh_otlp_text(o, attributes, "code.file.path", mh_doc_text(site, "file"));
    if (mh_doc_int(site, "line") > 0)
        mh_otlp_int(o, attributes, "code.line.number", mh_doc_int(site, "line"));
    mh_otlp_peer(o, attributes, mh_doc_text(finding, "peer"));
    mh_otlp_text(o, attributes, "mishap.fix", mh_doc_text(json_object_get(finding, "fix"), "text"));
    return attributes;
}

static void put_logs(struct mh_otlp *o, const json_t *document)
{
    const json_t *run = json_object_get(document, "run"), *finding;
    json_t *list = json_array();
    int64_t at = end_of(run);
    size_t i;

    json_array_foreach(json_object_get(document, "findings"), i, finding)
    {
        const char *severity = mh_doc_text(finding, "severity");

        if (!strcmp(mh_doc_text(finding, "state"), "fixed"))
            continue;
        mh_otlp_add(o, list,
                    json_pack("{s:o, s:o, s:i, s:o, s:{s:o}, s:s, s:o}", "timeUnixNano",
                              mh_otlp_number(at), "observedTimeUnixNano", mh_otlp_number(at),
                              "severityNumber", severity_number(severity), "severityText",
                              mh_otlp_string(severity), "body", "stringValue",
                              mh_otlp_string(mh_doc_text(finding, "title")), "eventName",
                              "mishap.finding", "attributes", finding_attributes(o, finding)));
    }
    mh_otlp_put(o, MH_OTLP_logs, resource(o, run), list);
}

/* One value of a gauge; `key` NULL: without an attribute. */
static void add_point(struct mh_otlp *o, json_t *points, int64_t at, const char *key,
                      const char *word, const char *kind, json_t *value)
{
    json_t *attributes = json_array();

    if (key)
        mh_otlp_text(o, attributes, key, word);
    mh_otlp_add(o, points,
                json_pack("{s:o, s:o, s:o}", "timeUnixNano", mh_otlp_number(at), kind, value,
                          "attributes", attributes));
}

static void add_gauge(struct mh_otlp *o, json_t *list, const char *name, const char *doc,
                      const char *unit, json_t *points)
{
    if (!json_array_size(points)) /* unknown is absent, never zero */
        json_decref(points);
    else
        mh_otlp_add(o, list,
                    json_pack("{s:s, s:s, s:s, s:{s:o}}", "name", name, "description", doc, "unit",
                              unit, "gauge", "dataPoints", points));
}

static void add_number(struct mh_otlp *o, json_t *list, int64_t at, const char *name,
                       const char *doc, const json_t *object, const char *key)
{
    json_t *points = json_array();

    if (mh_doc_known(object, key))
        add_point(o, points, at, NULL, NULL, "asDouble", json_real(mh_doc_number(object, key, 0)));
    add_gauge(o, list, name, doc, "1", points);
}

static json_t *findings_points(struct mh_otlp *o, const json_t *findings, int64_t at)
{
    json_t *points = json_array();
    const json_t *one;
    size_t k;

    for (size_t i = 0; mh_severity_names[i]; i++) {
        int64_t n = 0;

        json_array_foreach(findings, k, one) n +=
            !strcmp(mh_doc_text(one, "severity"), mh_severity_names[i]) &&
            strcmp(mh_doc_text(one, "state"), "fixed") != 0;
        add_point(o, points, at, "mishap.severity", mh_severity_names[i], "asInt",
                  mh_otlp_number(n));
    }
    return points;
}

static json_t *cases_points(struct mh_otlp *o, const json_t *cases, int64_t at)
{
    json_t *points = json_array();

    for (size_t i = 0; mh_outcome_names[i]; i++)
        add_point(o, points, at, "mishap.outcome", mh_outcome_names[i], "asInt",
                  mh_otlp_number((int64_t)mh_doc_count(cases, "outcome", mh_outcome_names[i])));
    return points;
}

static void put_metrics(struct mh_otlp *o, const json_t *document)
{
    const json_t *run = json_object_get(document, "run");
    const json_t *score = json_object_get(document, "score");
    json_t *list = json_array();
    int64_t at = end_of(run);

    add_number(o, list, at, "mishap.score", "Points, 0 to 100, over what was judged", score,
               "points");
    add_number(o, list, at, "mishap.evidence", "Share of what applies that was judged", score,
               "evidence");
    add_gauge(o, list, "mishap.findings", "Open findings", "{finding}",
              findings_points(o, json_object_get(document, "findings"), at));
    add_gauge(o, list, "mishap.cases", "Cases by their outcome", "{case}",
              cases_points(o, json_object_get(document, "cases"), at));
    mh_otlp_put(o, MH_OTLP_metrics, resource(o, run), list);
}

static int write_all(FILE *out, void *context)
{
    const struct source *s = context;
    struct mh_otlp o = {.out = out};

    if (s->model)
        mh_otlp_spans(&o, s->model);
    put_logs(&o, s->document);
    put_metrics(&o, s->document);
    return o.error;
}

int mh_otlp_write(const struct mh_model *model, const json_t *document, const char *path)
{
    struct source source = {model, document};

    return mh_files_write(path, write_all, &source);
}
