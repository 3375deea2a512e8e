/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap list`: the tables that mishap is built from, for people or as JSON. A subject is a row of
 * `subjects` and a function that fills the listing. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "base/buf.h"
#include "base/errname.h"
#include "base/macros.h"
#include "base/near.h"
#include "cmd.h"
#include "grade/grade.h"
#include "list_events.h"
#include "listing.h"
#include "log.h"
#include "report/report.h"
#include "otlp.h"
#include "rule/keys.h"
#include "rule/load.h"
#include "run/library.h"
#include "trace.h"

#include "base/banned.h"

static void add_word(struct mh_buf *b, const char *word)
{
    mh_buf_add(b, b->len ? " " : "");
    mh_buf_add(b, word);
}

static const struct mh_listing_column call_columns[] = {{"OPERATION", 11, false},
                                                        {"GROUP", 11, false},
                                                        {"FAULTS", 12, true},
                                                        {"ERRORS", 14, true},
                                                        {"CALLS", 0, true}};

static int list_calls(struct mh_listing *l)
{
    for (unsigned op = 1; op < MH_OP_COUNT; op++) {
        const struct mh_op_row *row = &mh_op_rows[op];
        MH_BUF(effects, 200);
        MH_BUF(errors, 400);
        MH_BUF(calls, 1000);

        for (unsigned i = 0; i < MH_EFFECT_COUNT; i++)
            if (row->effects & MH_EFFECT_BIT(i))
                add_word(&effects, mh_effect_rows[i].name);
        for (const int *e = row->errnos; *e; e++)
            add_word(&errors, *e < 0 ? mh_eai_name(*e) : mh_errno_name(*e));
        for (unsigned i = 0; i < MH_CALL_COUNT; i++)
            if (mh_call_rows[i].op == op)
                add_word(&calls, mh_call_rows[i].name);
        mh_listing_add(l, row->name);
        mh_listing_add(l, row->group);
        mh_listing_add(l, effects.data);
        mh_listing_add(l, errors.data);
        mh_listing_add(l, calls.data);
    }
    return 0;
}

static const struct mh_listing_column unhooked_columns[] = {
    {"KIND", 7, false}, {"CALLS", 24, true}, {"WHY NOT", 0, true}};

/* Calls of libc that no hook stands in front of, but for those that nothing can happen to. */
static int list_unhooked(struct mh_listing *l)
{
    static const struct {
        const char *kind, *reason, *names;
    } rows[] = {
#define NOT_HOOKED(kind, reason, names) {#kind, reason, names},
#include "table/unhooked.def"
#undef NOT_HOOKED
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!strcmp(rows[i].kind, "other"))
            continue;
        mh_listing_add(l, rows[i].kind);
        mh_listing_add(l, rows[i].names);
        mh_listing_add(l, rows[i].reason);
    }
    return 0;
}

static const struct mh_listing_column fault_columns[] = {
    {"FAULT", 9, false}, {"DOES", 33, false}, {"OPERATIONS", 0, true}};

static int list_faults(struct mh_listing *l)
{
    for (unsigned i = 0; i < MH_EFFECT_COUNT; i++) {
        MH_BUF(ops, 300);

        for (unsigned op = 1; op < MH_OP_COUNT; op++)
            if (mh_op_rows[op].effects & MH_EFFECT_BIT(i))
                add_word(&ops, mh_op_rows[op].name);
        mh_listing_add(l, mh_effect_rows[i].name);
        mh_listing_add(l, mh_effect_rows[i].doc);
        mh_listing_add(l, ops.data);
    }
    return 0;
}

static const struct mh_listing_column key_columns[] = {{"SECTION", 7, false, .group = true},
                                                       {"KEY", 11, false},
                                                       {"DEFAULT", 7, false},
                                                       {"VALUE", 24, false},
                                                       {"MEANS", 0, false}};

static int list_keys(struct mh_listing *l)
{
    for (unsigned i = 0; i < MH_KEY_COUNT; i++) {
        const struct mh_key_row *k = &mh_key_rows[i];
        MH_BUF(allowed, 300);

        mh_key_allowed(k, &allowed);
        mh_listing_add(l, mh_section_name(k->section));
        mh_listing_add(l, k->name);
        mh_listing_add(l, k->dflt);
        mh_listing_add(l, allowed.data);
        mh_listing_add(l, k->help);
    }
    return 0;
}

static const struct mh_listing_column scenario_columns[] = {
    {"SCENARIO", 20, false}, {"IS", 32, false}, {"FAULTS", 0, true}};

/* What a scenario says of itself: the first comment that is no licence line. */
static void describe(const char *path, char *ret, size_t size)
{
    FILE *f = fopen(path, "re");
    char line[256];

    *ret = '\0';
    while (f && !*ret && fgets(line, sizeof(line), f)) {
        size_t skip = strspn(line, "#; ");

        if (skip == 0)
            break;
        line[strcspn(line, "\n")] = '\0';
        if (!strstr(line, "SPDX-License"))
            snprintf(ret, size, "%s", line + skip);
    }
    if (f)
        fclose(f);
}

static int add_scenario(struct mh_listing *l, const char *folder, const char *file)
{
    _cleanup_free_ struct mh_rules *rules = calloc(1, sizeof(*rules));
    _cleanup_free_ struct mh_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    _cleanup_free_ char *path = NULL;
    char name[256], what[256];
    MH_BUF(faults, 2000);

    if (!rules || !mistakes || asprintf(&path, "%s/%s", folder, file) < 0)
        return -ENOMEM;
    if (mh_rules_load(path, rules, mistakes) < 0) /* not ours to judge: `mishap check` tells */
        return 0;
    for (unsigned i = 0; i < rules->nfaults; i++)
        add_word(&faults, rules->faults[i].name);
    snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 4), file);
    describe(path, what, sizeof(what));
    mh_listing_add(l, name);
    mh_listing_add(l, what);
    mh_listing_add(l, faults.data);
    return 0;
}

static int is_scenario(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 4, ".ini");
}

static int list_scenarios(struct mh_listing *l)
{
    _cleanup_free_ char *one = mh_scenario_find("gameday"); /* its folder is where they all are */
    struct dirent **names = NULL;
    int n, r = 0;

    if (!one)
        return -errno;
    *strrchr(one, '/') = '\0';
    n = scandir(one, &names, is_scenario, alphasort);
    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_scenario(l, one, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return r;
}

static const struct mh_listing_column format_columns[] = {
    {"FORMAT", 12, false}, {"SUFFIXES", 12, true}, {"IS", 0, false}};

static int list_formats(struct mh_listing *l)
{
    const struct mh_format *f;

    for (size_t i = 0; (f = mh_format_at(i)); i++) {
        mh_listing_add(l, f->name);
        mh_listing_add(l, f->suffixes);
        mh_listing_add(l, f->doc);
    }
    mh_listing_add(l, "trace");
    mh_listing_add(l, "");
    mh_listing_add(l, mh_trace_doc);
    mh_listing_add(l, "otlp");
    mh_listing_add(l, ".otlp");
    mh_listing_add(l, mh_otlp_doc);
    return 0;
}

static const struct mh_listing_column place_columns[] = {{"PLACE", 10, false}, {"PATH", 0, false}};

static int list_places(struct mh_listing *l)
{
    _cleanup_free_ char *library = mh_library_find(NULL);

    mh_listing_add(l, "library");
    mh_listing_add(l, library ? library : "");
    return 0;
}

static const struct mh_listing_column rule_columns[] = {{"RULE", 7, false},
                                                        {"SEVERITY", 8, false},
                                                        {"PRINCIPLE", 26, false},
                                                        {"JUDGED", 6, false},
                                                        {"FINDS", 0, false}};

static int list_rules(struct mh_listing *l)
{
    for (size_t i = 0; i < mh_rule_count; i++) {
        const struct mh_rule_row *r = &mh_rule_rows[i];

        mh_listing_add(l, r->id);
        mh_listing_add(l, mh_severity_words[r->nominal]);
        mh_listing_add(l, mh_principle_names[r->principle - 1]);
        mh_listing_add(l, r->judge ? "yes" : "later");
        mh_listing_add(l, r->title);
    }
    return 0;
}

static const struct mh_listing_column advice_columns[] = {{"LIBRARY", 17, false},
                                                          {"VERSIONS", 8, false},
                                                          {"ROLE", 9, false},
                                                          {"STATUS", 27, false},
                                                          {"RULES", 0, true}};

static int list_advice(struct mh_listing *l)
{
    int status;
    struct mh_advice *advice = mh_advice_open(NULL, &status);

    for (size_t i = 0; advice && i < advice->libraries.n; i++) {
        const struct mh_advice_library *library = &advice->libraries.v[i];
        const char *const *text = (const char *const *)library->text;
        MH_BUF(rules, 1000);

        for (size_t k = 0; k < library->rows.n; k++)
            add_word(&rules, library->rows.v[k].rule);
        mh_listing_add(l, text[MH_ADVICE_name]);
        mh_listing_add(l, text[MH_ADVICE_versions] ? text[MH_ADVICE_versions] : "");
        mh_listing_add(l, text[MH_ADVICE_role]);
        mh_listing_add(l, text[MH_ADVICE_status] ? text[MH_ADVICE_status] : "");
        mh_listing_add(l, rules.data);
    }
    mh_advice_free(advice);
    return status ? -EINVAL : 0;
}

static const struct subject {
    const char *name;
    const struct mh_listing_column *columns;
    size_t n;
    int (*fill)(struct mh_listing *l);
} subjects[] = {
    {"calls", call_columns, ARRAY_SIZE(call_columns), list_calls},
    {"unhooked", unhooked_columns, ARRAY_SIZE(unhooked_columns), list_unhooked},
    {"faults", fault_columns, ARRAY_SIZE(fault_columns), list_faults},
    {"keys", key_columns, ARRAY_SIZE(key_columns), list_keys},
    {"scenarios", scenario_columns, ARRAY_SIZE(scenario_columns), list_scenarios},
    {"rules", rule_columns, ARRAY_SIZE(rule_columns), list_rules},
    {"advice", advice_columns, ARRAY_SIZE(advice_columns), list_advice},
    {"formats", format_columns, ARRAY_SIZE(format_columns), list_formats},
    {"places", place_columns, ARRAY_SIZE(place_columns), list_places},
    {"events", mh_event_columns, MH_EVENT_COLUMNS, mh_list_events},
    {"codes", mh_code_columns, MH_CODE_COLUMNS, mh_list_codes},
    {"verbs", mh_verb_columns, MH_VERB_COLUMNS, mh_list_verbs},
};

struct options {
    const struct subject *subject;
    enum mh_listing_as as;
};

static void find_subject(struct options *o, const char *word, struct argp_state *state)
{
    const char *near = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        if (!strcmp(subjects[i].name, word))
            o->subject = &subjects[i];
        if (mh_near_distance(word, subjects[i].name) <= 2)
            near = subjects[i].name;
    }
    if (!o->subject && near)
        argp_error(state, "there is no list of '%s'; did you mean '%s'?", word, near);
    else if (!o->subject)
        argp_error(state, "there is no list of '%s'", word);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'f':
        if (!strcmp(arg, "json"))
            o->as = MH_LISTING_json;
        else if (!strcmp(arg, "man"))
            o->as = MH_LISTING_man;
        else if (strcmp(arg, "text") != 0)
            argp_error(state, "--format=%s: it is text, json or man", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "one list at a time");
        find_subject(o, arg, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "list what?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int mh_cmd_list(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"format", 'f', "FORMAT", 0, "text (default), json, or man (for roff)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "calls\nunhooked\nfaults\nkeys\nscenarios\nrules\nadvice\nformats\nplaces\neven"
                    "ts\ncodes\nverbs",
        .doc = "Prints the tables that mishap is built from."
               "\vcalls: operations, the libc calls that do them, what can happen to them\n"
               "faults: what a fault can do\n"
               "keys: the scenario language\n"
               "scenarios: those that are shipped, ready for `mishap run -c NAME`\n"
               "rules: of the grader; `mishap explain RULE` says more\n"
               "advice: libraries that fixes are written for, and for which rules\n"
               "formats: of reports\n"
               "places: where the library is, for LD_PRELOAD\n"
               "events, codes: of recordings, as mishap-events(5) explains them\n"
               "verbs: of this command\n",
    };
    struct options o = {0};
    struct mh_listing *l;
    int r, printed;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o) || !o.subject)
        return MH_EXIT_MISUSE;
    l = mh_listing_new(o.subject->columns, o.subject->n, o.as);
    r = l ? o.subject->fill(l) : -ENOMEM;
    printed = mh_listing_finish(l);
    r = r < 0 ? r : printed;
    return r < 0 ? (mh_log_errno(r, "Cannot list %s", o.subject->name), MH_EXIT_TROUBLE)
                 : MH_EXIT_OK;
}
