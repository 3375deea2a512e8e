/* SPDX-License-Identifier: Apache-2.0 */
/* SARIF 2.1.0, for code scanning: a result per finding at its one line of the application. A
 * finding without a place in the repository cannot be shown there; such ones are counted in the
 * run's properties. No security-severity: these are no vulnerabilities. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "grade/grade.h"
#include "report/doc.h"
#include "report/report.h"

#include "base/banned.h"

#define SCHEMA                                                                                     \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

/* Both take the value over; without memory they remember it in *r: nothing may go missing unsaid.
 */
static void add(json_t *list, json_t *value, int *r)
{
    if (json_array_append_new(list, value) < 0)
        *r = -ENOMEM;
}

static void set(json_t *object, const char *key, json_t *value, int *r)
{
    if (json_object_set_new(object, key, value) < 0)
        *r = -ENOMEM;
}

/* What is outside the repository has an absolute path, or none. */
static bool is_placed(const json_t *frame)
{
    const char *file = mh_doc_text(frame, "file");

    return *file && *file != '/' && mh_doc_int(frame, "line") > 0;
}

static const char *level_of(const json_t *finding)
{
    const char *severity = mh_doc_text(finding, "severity");

    if (!strcmp(mh_doc_text(finding, "confidence"), "low") || !strcmp(severity, "Low"))
        return "note";
    return strcmp(severity, "Medium") ? "error" : "warning";
}

static const char *baseline_of(const json_t *finding)
{
    static const char *const names[][2] = {
        {"new", "new"}, {"unchanged", "unchanged"}, {"worse", "updated"}, {"fixed", "absent"}};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(mh_doc_text(finding, "state"), names[i][0]))
            return names[i][1];
    return NULL;
}

/* A path as a URI reference: whatever is not plainly allowed is written as its bytes. */
static json_t *uri_of(const char *path)
{
    struct mh_out out = {.error = 0};
    json_t *uri;

    for (; *path; path++) {
        if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
            mh_out_add_n(&out, path, 1);
        else
            mh_out_printf(&out, "%%%02X", (unsigned char)*path);
    }
    uri = out.error ? NULL : json_string(out.data);
    mh_out_done(&out);
    return uri;
}

static json_t *location(const json_t *frame, const char *message)
{
    json_int_t line = mh_doc_int(frame, "line");
    json_t *place =
        json_pack("{s:{s:{s:o, s:s}, s:{s:I, s:I}}}", "physicalLocation", "artifactLocation", "uri",
                  uri_of(mh_doc_text(frame, "file")), "uriBaseId", "%SRCROOT%", "region",
                  "startLine", line, "endLine", line);

    if (message && (!place || json_object_set_new(place, "message",
                                                  json_pack("{s:s}", "text", message)) < 0)) {
        json_decref(place);
        return NULL;
    }
    return place;
}

/* The stack from the outside in, as the code flows; frames outside the repository have no place. */
static void set_flows(json_t *result, const json_t *stack, int *r)
{
    json_t *steps = json_array();

    for (size_t i = json_array_size(stack); i-- > 0;) {
        const json_t *frame = json_array_get(stack, i);

        if (is_placed(frame))
            add(steps,
                json_pack("{s:o}", "location", location(frame, mh_doc_text(frame, "function"))), r);
    }
    if (!steps)
        *r = -ENOMEM;
    else if (json_array_size(steps))
        set(result, "codeFlows", json_pack("[{s:[{s:O}]}]", "threadFlows", "locations", steps), r);
    json_decref(steps);
}

/* "no timeout: shop.pricing.fetch_quote -> pricing:8443. 12 of 12 calls ... What to do." */
static json_t *message(const json_t *finding)
{
    const json_t *site = json_object_get(finding, "site"), *item;
    const char *peer = mh_doc_text(finding, "peer");
    struct mh_out text = {.error = 0};
    json_t *object;
    size_t i;

    mh_out_printf(&text, "%s: %s%s%s.", mh_doc_text(finding, "title"),
                  mh_doc_text(site, "function"), *peer ? " -> " : "", peer);
    json_array_foreach(json_object_get(finding, "evidence"), i, item)
        mh_out_printf(&text, " %s.", json_is_string(item) ? json_string_value(item) : "");
    mh_out_printf(&text, " %s", mh_doc_text(json_object_get(finding, "fix"), "text"));
    object = text.error ? NULL : json_pack("{s:s}", "text", text.data);
    mh_out_done(&text);
    return object;
}

static json_t *result(const json_t *finding, int *r)
{
    const json_t *site = json_object_get(finding, "site");
    const json_t *handler = json_object_get(finding, "handler");
    json_t *one = json_pack(
        "{s:s, s:s, s:o, s:[o], s:{s:s}}", "ruleId", mh_doc_text(finding, "rule"), "level",
        level_of(finding), "message", message(finding), "locations", location(site, NULL),
        "partialFingerprints", "primaryLocationLineHash", mh_doc_text(finding, "id"));

    set_flows(one, json_object_get(site, "stack"), r);
    if (is_placed(handler))
        set(one, "relatedLocations", json_pack("[o]", location(handler, "caught here")), r);
    if (baseline_of(finding))
        set(one, "baselineState", json_string(baseline_of(finding)), r);
    return one;
}

/* What the catalogue says of a rule; a stored document may name one that this version does not
 * have. */
static json_t *rule(const json_t *finding)
{
    const char *id = mh_doc_text(finding, "rule"), *title = mh_doc_text(finding, "title");
    const struct mh_rule_row *row = mh_rule_find(id);
    const char *means = row && row->means ? row->means : title;
    const char *fix = row && row->fix ? row->fix : "";

    return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:[s, s], s:s}}", "id", id,
                     "shortDescription", "text", title, "fullDescription", "text", means, "help",
                     "text", *fix ? fix : means, "properties", "tags", "resilience",
                     mh_doc_text(finding, "type"), "precision",
                     strcmp(mh_doc_text(finding, "confidence"), "high") ? "medium" : "high");
}

static bool has_rule(const json_t *rules, const char *id)
{
    return mh_doc_count(rules, "id", id) > 0;
}

int mh_format_sarif(const json_t *document, const struct mh_report_options *options,
                    struct mh_out *out)
{
    const json_t *findings = json_object_get(document, "findings"), *finding;
    json_t *rules = json_array(), *results = json_array(), *log;
    size_t i, unplaced = 0;
    int r = 0;

    json_array_foreach(findings, i, finding)
    {
        if (!is_placed(json_object_get(finding, "site"))) {
            unplaced++;
            continue;
        }
        if (!has_rule(rules, mh_doc_text(finding, "rule")))
            add(rules, rule(finding), &r);
        add(results, result(finding, &r), &r);
    }
    log = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:{s:s}, s:s, s:o, s:{s:I, s:s}}]}",
                    "$schema", SCHEMA, "version", "2.1.0", "runs", "tool", "driver", "name",
                    "mishap", "semanticVersion", MISHAP_VERSION, "rules", rules,
                    "automationDetails", "id", "mishap/", "columnKind", "unicodeCodePoints",
                    "results", results, "properties", "findingsWithoutPlace", (json_int_t)unplaced,
                    "grade", mh_doc_text(json_object_get(document, "score"), "grade"));
    if (!log)
        return -ENOMEM;
    if (r == 0)
        r = mh_format_json(log, options, out);
    json_decref(log);
    return r;
}
