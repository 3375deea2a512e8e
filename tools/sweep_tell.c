/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep says: one row a target, then the findings, then what was left out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "judge.h"
#include "report/doc.h"
#include "report/report.h"
#include "report/table.h"
#include "report/term.h"
#include "report/utf8.h"
#include "sweep.h"

#include "base/banned.h"

/* Place among the names of the outcomes, the best is 0; -1 none. */
static int rank_of(const char *outcome)
{
    for (int i = 0; mh_outcome_names[i]; i++)
        if (!strcmp(mh_outcome_names[i], outcome))
            return i;
    return -1;
}

/* Worst outcome and all trials of the fault, from the report of its run. */
static void take_cases(json_t *ret, const json_t *document, const char *name)
{
    const json_t *one;
    json_int_t fired = 0;
    const char *worst = "";
    size_t i;

    json_array_foreach(json_object_get(document, "cases"), i, one)
    {
        if (strcmp(mh_doc_text(one, "fault"), name) != 0)
            continue;
        fired += json_integer_value(json_object_get(one, "fired"));
        if (rank_of(mh_doc_text(one, "outcome")) > rank_of(worst))
            worst = mh_doc_text(one, "outcome");
    }
    json_object_set_new(ret, "fired", json_integer(fired));
    json_object_set_new(ret, "outcome", *worst ? json_string(worst) : json_null());
}

static json_t *findings_of(const json_t *document, const char *name)
{
    json_t *ret = json_array();
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(document, "findings"), i, one)
    {
        if (!strcmp(mh_doc_text(one, "fault"), name))
            json_array_append_new(ret, json_pack("{s:s,s:s,s:s,s:s}", "id", mh_doc_text(one, "id"),
                                                 "rule", mh_doc_text(one, "rule"), "severity",
                                                 mh_doc_text(one, "severity"), "title",
                                                 mh_doc_text(one, "title")));
    }
    return ret;
}

json_t *mh_target_result(const struct mh_target *t, const char *name, const char *dir, int status)
{
    json_t *document = NULL;
    json_t *ret = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:i}", "name", name, "site",
                            t->site, "file", t->file, "stack", t->stack, "call", t->call, "where",
                            strchr(t->where, '=') + 2, "fault", t->fault, "calls",
                            (json_int_t)t->calls, "dir", dir, "status", status);

    if (!ret)
        return NULL;
    if (mh_judge_load(dir, &document))
        document = json_object();
    take_cases(ret, document, name);
    json_object_set_new(ret, "findings", findings_of(document, name));
    json_decref(document);
    return ret;
}

static int print_table(struct mh_term *t, const json_t *targets)
{
    static const struct mh_table_column columns[] = {
        {"Name", 9, false}, {"Place", 26, false}, {"Call", 10, false},
        {"On", 17, false},  {"Became", 9, false}, {"Exit", 4, true},
    };
    struct mh_table *table = mh_table_new(t, columns, ARRAY_SIZE(columns));
    const json_t *one;
    size_t i;

    if (!table)
        return -ENOMEM;
    json_array_foreach(targets, i, one)
    {
        mh_table_text(table, mh_doc_text(one, "name"));
        mh_table_text(table, mh_doc_text(one, "site"));
        mh_table_text(table, mh_doc_text(one, "call"));
        mh_table_text(table, mh_doc_text(one, "where"));
        if (!mh_doc_int(one, "fired"))
            mh_table_text(table, "no fault");
        else
            mh_table_text(table,
                          mh_doc_known(one, "outcome") ? mh_doc_text(one, "outcome") : "unclear");
        mh_table_printf(table, "%lld", mh_doc_int(one, "status"));
    }
    return mh_table_finish(table, t);
}

static void print_sum(struct mh_term *t, const json_t *targets)
{
    const json_t *one;
    size_t i, fired = 0, unclear = 0;

    json_array_foreach(targets, i, one)
    {
        fired += mh_doc_int(one, "fired") > 0;
        unclear += mh_doc_int(one, "fired") > 0 && !mh_doc_known(one, "outcome");
    }
    mh_term_printf(t, MH_BOLD, "%zu of %zu places failed", fired, json_array_size(targets));
    for (size_t k = 0; mh_outcome_names[k]; k++) {
        size_t n = 0;

        json_array_foreach(targets, i, one)
        {
            n += mh_doc_int(one, "fired") > 0 &&
                 !strcmp(mh_doc_text(one, "outcome"), mh_outcome_names[k]);
        }
        if (n)
            mh_term_printf(t, MH_PLAIN, ", %zu %s", n, mh_outcome_names[k]);
    }
    if (unclear)
        mh_term_printf(t, MH_PLAIN, ", %zu unclear", unclear);
    mh_term_end(t);
}

/* Each rule once a place, worst severity first. */
static void print_findings(struct mh_term *t, const json_t *targets)
{
    const json_t *target, *one;
    size_t i, k;

    for (size_t s = 0; mh_severity_names[s]; s++)
        json_array_foreach(targets, i, target)
        {
            json_array_foreach(json_object_get(target, "findings"), k, one)
            {
                if (strcmp(mh_doc_text(one, "severity"), mh_severity_names[s]) != 0)
                    continue;
                mh_term_printf(t, MH_PLAIN, "  %-8s %s %s: %s", mh_severity_names[s],
                               mh_doc_text(target, "name"), mh_doc_text(one, "rule"),
                               mh_doc_text(one, "title"));
                mh_term_end(t);
            }
        }
}

static int print(const json_t *sweep, const struct mh_report_options *options)
{
    const json_t *targets = json_object_get(sweep, "targets"),
                 *left = json_object_get(sweep, "left_out"), *one;
    struct mh_out out = {.error = 0};
    struct mh_term t;
    size_t i;
    int r;

    mh_term_init(&t, &out, options);
    r = print_table(&t, targets);
    mh_term_end(&t);
    print_sum(&t, targets);
    print_findings(&t, targets);
    if (json_array_size(left)) {
        mh_term_put(&t, MH_BOLD, "Not failed, and why");
        mh_term_end(&t);
    }
    json_array_foreach(left, i, one)
    {
        mh_term_printf(&t, MH_PLAIN, "  %s", json_string_value(one));
        mh_term_end(&t);
    }
    mh_term_printf(&t, MH_DIM, "Each place is a run: mishap report %s/NAME",
                   mh_doc_text(sweep, "dir"));
    mh_term_end(&t);
    if (r >= 0)
        r = mh_out_save(&out, NULL);
    mh_out_done(&out);
    return r;
}

int mh_sweep_tell(const json_t *sweep, const struct mh_report_options *options)
{
    struct mh_utf8_locale locale = mh_utf8_enter();
    int r = print(sweep, options);

    mh_utf8_leave(locale);
    return r;
}
