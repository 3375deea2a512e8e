/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit's XML, as continuous integration reads it: a suite per group of rules, a case per rule and
 * site. What was not judged is skipped with its reason; a suspicion (low confidence) never fails.
 */
#include <stdio.h>
#include <string.h>

#include "report/doc.h"
#include "report/report.h"
#include "report/xml_out.h"

#include "base/banned.h"

#define GROUPS 100 /* MH-0601 is of group 6 */

static int group_of(const json_t *verdict)
{
    int group = 0, rest;

    if (sscanf(mh_doc_text(verdict, "rule"), "MH-%2d%2d", &group, &rest) != 2)
        return 0;
    return group > 0 && group < GROUPS ? group : 0;
}

static bool fails(const json_t *finding)
{
    return strcmp(mh_doc_text(finding, "confidence"), "low") &&
           strcmp(mh_doc_text(finding, "state"), "fixed");
}

static void open_case(struct mh_out *out, const json_t *verdict, const char *site, const char *peer)
{
    struct mh_out name = {.error = 0};

    mh_out_printf(&name, "%s %s", mh_doc_text(verdict, "rule"), mh_doc_text(verdict, "title"));
    if (*site || *peer)
        mh_out_printf(&name, ": %s%s%s", site, *site && *peer ? " -> " : "", peer);
    mh_out_add(out, "    <testcase");
    mh_xml_attributef(out, "classname", "mishap.%s", mh_doc_text(verdict, "rule"));
    mh_xml_attribute(out, "name", name.data ? name.data : "");
    mh_out_add(out, " time=\"0\"");
    if (name.error)
        out->error = name.error;
    mh_out_done(&name);
}

static void put_lines(struct mh_out *out, const char *label, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);

        mh_out_add(out, label);
        mh_xml_text(out, text ? text : "");
        mh_out_add(out, "\n");
    }
}

static void put_text(struct mh_out *out, const char *label, const char *text)
{
    if (!*text)
        return;
    mh_out_add(out, label);
    mh_xml_text(out, text);
    mh_out_add(out, "\n");
}

static void put_finding(struct mh_out *out, const json_t *finding)
{
    const json_t *evidence = json_object_get(finding, "evidence"), *frame;
    const char *first = json_string_value(json_array_get(evidence, 0));
    const char *element = fails(finding) ? "failure" : "skipped";
    size_t i;

    open_case(out, finding, mh_doc_text(json_object_get(finding, "site"), "function"),
              mh_doc_text(finding, "peer"));
    mh_out_printf(out, ">\n      <%s", element);
    mh_xml_attributef(out, "message", "%s%.400s", fails(finding) ? "" : "suspected: ",
                      first ? first : mh_doc_text(finding, "title"));
    if (fails(finding))
        mh_xml_attribute(out, "type", mh_doc_text(finding, "severity"));
    mh_out_add(out, ">");
    put_lines(out, "saw: ", evidence);
    put_lines(out, "but: ", json_object_get(finding, "counter_evidence"));
    json_array_foreach(mh_doc_at(finding, "site.stack"), i, frame)
    {
        mh_out_add(out, "  at ");
        mh_xml_text(out, mh_doc_text(frame, "function"));
        mh_out_add(out, " (");
        mh_xml_text(out, mh_doc_text(frame, "file"));
        mh_out_printf(out, ":%lld)\n", mh_doc_int(frame, "line"));
    }
    put_text(out, "fix: ", mh_doc_text(json_object_get(finding, "fix"), "text"));
    put_text(out, "replay: ", mh_doc_text(finding, "replay"));
    mh_out_printf(out, "</%s>\n    </testcase>\n", element);
}

static void put_skipped(struct mh_out *out, const json_t *verdict, const char *why)
{
    open_case(out, verdict, mh_doc_text(verdict, "site"), "");
    mh_out_add(out, ">\n      <skipped");
    mh_xml_attributef(out, "message", "%s: %s", why, mh_doc_text(verdict, "reason"));
    mh_out_add(out, "/>\n    </testcase>\n");
}

static const struct {
    const char *list, *why; /* no reason: passed */
} verdicts[] = {
    {"passed", NULL},
    {"not_exercised", "not exercised"},
    {"unclear", "unclear"},
    {"not_applicable", "not applicable"},
};

struct counts {
    int tests, failures, skipped;
};

static void put_group(struct mh_out *out, const json_t *document, int group, struct counts *ret)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(document, "findings"), i, one)
    {
        if (group_of(one) != group)
            continue;
        ret->tests++;
        ret->failures += fails(one);
        ret->skipped += !fails(one);
        put_finding(out, one);
    }
    for (size_t v = 0; v < ARRAY_SIZE(verdicts); v++) {
        json_array_foreach(json_object_get(document, verdicts[v].list), i, one)
        {
            if (group_of(one) != group)
                continue;
            ret->tests++;
            if (verdicts[v].why) {
                ret->skipped++;
                put_skipped(out, one, verdicts[v].why);
            } else {
                open_case(out, one, mh_doc_text(one, "site"), "");
                mh_out_add(out, "/>\n");
            }
        }
    }
}

/* A stage in which nothing fired, or whose application was ill before, must not come out green. */
static void put_run(struct mh_out *out, const json_t *document, struct counts *ret)
{
    const json_t *run = json_object_get(document, "run"),
                 *healthy = json_object_get(run, "healthy");

    ret->tests = 2;
    mh_out_add(out, "    <testcase classname=\"mishap.run\" name=\"a fault fired\" time=\"0\">");
    if (!mh_doc_int(run, "fired")) {
        ret->failures++;
        mh_out_add(out, "<failure type=\"High\" message=\"no fault fired: nothing was tested\"/>");
    }
    mh_out_add(out, "</testcase>\n    <testcase classname=\"mishap.run\" "
                    "name=\"healthy with no fault active\" time=\"0\">");
    if (json_is_false(healthy)) {
        ret->failures++;
        mh_out_add(out, "<failure type=\"High\" message=\"unhealthy with no fault active\"/>");
    } else if (!json_is_true(healthy)) {
        ret->skipped++;
        mh_out_add(out, "<skipped message=\"no fault-free time to compare with\"/>");
    }
    mh_out_add(out, "</testcase>\n");
}

static void put_suite(struct mh_out *out, const json_t *document, int group, struct counts *total)
{
    const json_t *principle =
        json_array_get(mh_doc_at(document, "score.principles"), (size_t)(group - 1));
    struct mh_out cases = {.error = 0};
    struct counts counts = {0};

    if (group < 0)
        put_run(&cases, document, &counts);
    else
        put_group(&cases, document, group, &counts);
    if (counts.tests) {
        mh_out_add(out, "  <testsuite");
        if (group < 0)
            mh_xml_attribute(out, "name", "mishap: the run");
        else if (principle && group > 0)
            mh_xml_attributef(out, "name", "mishap: %d %s", group, mh_doc_text(principle, "name"));
        else
            mh_xml_attribute(out, "name", "mishap: across principles");
        mh_out_printf(out,
                      " tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"0\">\n",
                      counts.tests, counts.failures, counts.skipped);
        mh_out_add_n(out, cases.data, cases.len);
        mh_out_add(out, "  </testsuite>\n");
    }
    total->tests += counts.tests;
    total->failures += counts.failures;
    total->skipped += counts.skipped;
    if (cases.error)
        out->error = cases.error;
    mh_out_done(&cases);
}

static void put_property(struct mh_out *out, const char *name, const json_t *object,
                         const char *key)
{
    const json_t *value = json_object_get(object, key);

    mh_out_add(out, "      <property");
    mh_xml_attribute(out, "name", name);
    if (json_is_string(value))
        mh_xml_attribute(out, "value", json_string_value(value));
    else
        mh_xml_attributef(out, "value", "%.12g", json_number_value(value));
    mh_out_add(out, "/>\n");
}

static void put_properties(struct mh_out *out, const json_t *document)
{
    static const char *const of_score[] = {"grade", "points", "evidence", "low", "high"};
    const json_t *score = json_object_get(document, "score");

    mh_out_add(out, "  <testsuite name=\"mishap: score\" tests=\"0\" failures=\"0\" errors=\"0\" "
                    "skipped=\"0\" time=\"0\">\n    <properties>\n");
    for (size_t i = 0; i < ARRAY_SIZE(of_score); i++)
        if (mh_doc_known(score, of_score[i]))
            put_property(out, of_score[i], score, of_score[i]);
    if (mh_doc_known(json_object_get(document, "run"), "seed"))
        put_property(out, "seed", json_object_get(document, "run"), "seed");
    mh_out_add(out, "    </properties>\n  </testsuite>\n");
}

int mh_format_junit(const json_t *document, const struct mh_report_options *options,
                    struct mh_out *out)
{
    struct mh_out suites = {.error = 0};
    struct counts total = {0};

    put_properties(&suites, document);
    put_suite(&suites, document, -1, &total);
    for (int group = 0; group < GROUPS; group++)
        put_suite(&suites, document, group, &total);
    mh_out_printf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mishap\" "
                  "tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\">\n",
                  total.tests, total.failures, total.skipped);
    if (suites.data)
        mh_out_add_n(out, suites.data, suites.len);
    mh_out_add(out, "</testsuites>\n");
    if (suites.error)
        out->error = suites.error;
    mh_out_done(&suites);
    return 0;
}
