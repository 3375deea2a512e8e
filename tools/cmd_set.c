/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap set`: switches and values of a run that goes on, through its shared page. Everything that
 * was asked is checked before anything is changed; the page itself is in run/live.c. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/near.h"
#include "cmd.h"
#include "listing.h"
#include "log.h"
#include "rule/load.h"
#include "run/live.h"

#include "base/banned.h"

struct options {
    const char *run; /* directory or process, as the user named it */
    char **words;    /* borrowed from argv */
    size_t nwords;
};

/* What was asked, checked. */
struct asked {
    bool everything;                 /* on or off without a name */
    bool on;                         /* of everything and faults */
    uint64_t faults[MH_FAULT_WORDS]; /* to be switched */
    char *changes;                   /* all of them, also those made before; NULL none */
    struct mh_fault changed[MH_CONTROL_CHANGED];
    unsigned nchanged;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_ARGS:
        o->run = state->argv[state->next];
        o->words = state->argv + state->next + 1;
        o->nwords = (size_t)(state->argc - state->next - 1);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which run? name its output directory, or one of its processes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The fault's index; -1 after having said which there are. */
static int find_fault(const struct mh_control *c, const char *name, size_t n)
{
    const char *near = NULL;
    unsigned least = 4;
    _cleanup_free_ char *word = strndup(name, n);

    for (unsigned i = 0; word && i < c->nfaults; i++) {
        unsigned distance = mh_near_distance(word, c->names[i]);

        if (!strcmp(c->names[i], word))
            return (int)i;
        if (distance < least) {
            least = distance;
            near = c->names[i];
        }
    }
    if (near)
        mh_log("the run has no fault '%.*s'; did you mean '%s'?", (int)n, name, near);
    else
        mh_log("the run has no fault '%.*s'; `mishap set DIR` shows them", (int)n, name);
    return -1;
}

static int take_switch(const struct options *o, const struct mh_control *c, struct asked *ret)
{
    ret->on = !strcmp(o->words[0], "on");
    ret->everything = o->nwords == 1;
    for (size_t i = 1; i < o->nwords; i++) {
        int fault = find_fault(c, o->words[i], strlen(o->words[i]));

        if (fault < 0)
            return MH_EXIT_MISUSE;
        ret->faults[fault / 64] |= UINT64_C(1) << fault % 64;
    }
    return MH_EXIT_OK;
}

/* Shape and name of each word; what the value is worth the loader says. */
static int check_word(const struct mh_control *c, const char *word)
{
    static const char *const settled[] = {"stack", "caller", "operation", "process", "memory"};
    struct mh_change change;

    if (strchr(word, '\n') || !mh_change_next(word, &change)) {
        mh_log("'%s' is neither NAME.KEY=VALUE nor on, off or reset", word);
        return MH_EXIT_MISUSE;
    }
    if (change.value_len > 250) {
        mh_log("the value of '%.*s' is too long; at most 250 bytes", (int)(change.value - word - 1),
               word);
        return MH_EXIT_MISUSE;
    }
    if (find_fault(c, change.name, change.name_len) < 0)
        return MH_EXIT_MISUSE;
    for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
        if (strlen(settled[i]) == change.key_len &&
            !memcmp(settled[i], change.key, change.key_len)) {
            mh_log("'%s' cannot be changed in a run: where a fault applies is settled when a "
                   "connection or a process begins; switch faults on and off instead",
                   settled[i]);
            return MH_EXIT_MISUSE;
        }
    return MH_EXIT_OK;
}

static int take_values(const struct options *o, const struct mh_control *c, struct asked *ret)
{
    _cleanup_free_ struct mh_rules *rules = NULL;
    int status = MH_EXIT_OK;

    for (size_t i = 0; i < o->nwords && !status; i++)
        status = check_word(c, o->words[i]);
    if (!status)
        status = mh_live_changes(c, o->words, o->nwords, &ret->changes);
    if (!status)
        status = mh_live_rules_load(c, ret->changes, &rules);
    for (unsigned i = 0; !status && i < rules->nfaults; i++) {
        if (!mh_live_is_changed(ret->changes, rules->faults[i].name))
            continue;
        if (ret->nchanged == ARRAY_SIZE(ret->changed)) {
            mh_log("values of more than %zu faults", ARRAY_SIZE(ret->changed));
            return MH_EXIT_MISUSE;
        }
        ret->changed[ret->nchanged++] = rules->faults[i];
    }
    return status;
}

/* What is left when the changes of these faults, or all, are taken back. */
static int take_reset(const struct options *o, const struct mh_control *c, struct asked *ret)
{
    _cleanup_free_ struct mh_rules *rules = NULL;
    char text[MH_CONTROL_TEXT] = "";
    struct mh_buf b = {text, sizeof(text), 0, false};
    struct mh_change change;
    int status;

    for (size_t i = 1; i < o->nwords; i++)
        if (find_fault(c, o->words[i], strlen(o->words[i])) < 0)
            return MH_EXIT_MISUSE;
    for (const char *p = c->changes; (p = mh_change_next(p, &change));) {
        bool taken = o->nwords == 1;

        for (size_t i = 1; i < o->nwords && !taken; i++)
            taken = strlen(o->words[i]) == change.name_len &&
                    !memcmp(o->words[i], change.name, change.name_len);
        if (taken)
            continue;
        mh_buf_add_n(&b, change.name, (size_t)(change.value - change.name) + change.value_len);
        mh_buf_add_char(&b, '\n');
    }
    ret->changes = strdup(text);
    if (!ret->changes)
        return mh_log_errno(-ENOMEM, "Cannot change the run"), MH_EXIT_TROUBLE;
    status = mh_live_rules_load(c, ret->changes, &rules);
    for (unsigned i = 0; !status && i < rules->nfaults; i++)
        if (mh_live_is_changed(ret->changes, rules->faults[i].name))
            ret->changed[ret->nchanged++] = rules->faults[i];
    return status;
}

static void say_switched(const struct mh_control *c, const struct asked *a)
{
    if (a->everything)
        printf("everything is %s\n", a->on ? "on" : "off");
    for (unsigned i = 0; i < c->nfaults; i++)
        if (a->faults[i / 64] >> i % 64 & 1)
            printf("%s is %s\n", c->names[i], a->on ? "on" : "off");
    if (!a->everything && a->on && c->off)
        printf("but everything is off: `mishap set DIR on`\n");
}

static int do_switch(struct mh_control *c, const struct asked *a)
{
    if (a->everything)
        mh_control_switch(c, -1, a->on);
    for (int i = 0; i < (int)c->nfaults; i++)
        if (a->faults[i / 64] >> i % 64 & 1)
            mh_control_switch(c, i, a->on);
    say_switched(c, a);
    return MH_EXIT_OK;
}

static int do_values(const struct options *o, struct mh_control *c, const struct asked *a)
{
    int r = mh_control_change(c, a->changes, a->changed, a->nchanged);

    if (r < 0)
        return mh_log_errno(r, "Cannot change the run"), MH_EXIT_TROUBLE;
    for (unsigned i = 0; i < a->nchanged; i++) {
        char text[4096] = "";
        struct mh_buf b = {text, sizeof(text), 0, false};
        bool asked = false;

        for (size_t w = 0; w < o->nwords; w++)
            asked |= mh_live_is_changed(o->words[w], a->changed[i].name);
        if (!asked)
            continue;
        mh_fault_sentence(&a->changed[i], &b);
        printf("%s: %s.\n", a->changed[i].name, text);
    }
    return MH_EXIT_OK;
}

/* Without anything to change: how things stand. */
static int show(const struct mh_control *c)
{
    static const struct mh_listing_column columns[] = {
        {"FAULT", 24, false}, {"STATE", 6, false}, {"FIRED", 8, false}, {"CHANGED", 0, false}};
    struct mh_listing *l = mh_listing_new(columns, ARRAY_SIZE(columns), MH_LISTING_text);
    int r;

    for (unsigned i = 0; i < c->nfaults; i++) {
        bool off = c->off || (c->fault_off[i / 64] >> i % 64 & 1);
        char values[MH_CONTROL_TEXT] = "", fired[24];
        struct mh_buf b = {values, sizeof(values), 0, false};
        struct mh_change change;

        for (const char *p = c->changes; (p = mh_change_next(p, &change));)
            if (strlen(c->names[i]) == change.name_len &&
                !memcmp(c->names[i], change.name, change.name_len)) {
                mh_buf_add(&b, b.len ? ", " : "");
                mh_buf_add_n(&b, change.key,
                             (size_t)(change.value - change.key) + change.value_len);
            }
        snprintf(fired, sizeof(fired), "%" PRIu64, c->fired[i]);
        mh_listing_add(l, c->names[i]);
        mh_listing_add(l, off ? "off" : "on");
        mh_listing_add(l, fired);
        mh_listing_add(l, values);
    }
    r = mh_listing_finish(l);
    if (r == 0 && !c->nfaults)
        printf("the run has no faults\n");
    return r < 0 ? (mh_log_errno(r, "Cannot show the faults"), MH_EXIT_TROUBLE) : MH_EXIT_OK;
}

static int change(const struct options *o, struct mh_control *c)
{
    _cleanup_free_ struct asked *a = calloc(1, sizeof(*a));
    bool switches = !strcmp(o->words[0], "on") || !strcmp(o->words[0], "off");
    bool reset = !strcmp(o->words[0], "reset");
    int status;

    if (!a)
        return mh_log_errno(-ENOMEM, "Cannot change the run"), MH_EXIT_TROUBLE;
    status = switches ? take_switch(o, c, a) : reset ? take_reset(o, c, a) : take_values(o, c, a);
    if (!status)
        status = switches ? do_switch(c, a) : do_values(o, c, a);
    free(a->changes);
    return status;
}

int mh_cmd_set(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "DIR|PID [on|off|reset [NAME...] | NAME.KEY=VALUE...]",
        .doc =
            "Changes a run while it runs, in every process of it."
            "\vDIR is the run's output directory, PID one of its processes. Without a change "
            "the faults are shown as they are. `off` and `on` switch everything, or the faults "
            "named. A value is checked like one in the scenario, and is in force at the next "
            "call that the fault concerns; what waits already goes on waiting. KEY=none: as if the "
            "fault had no such key. Where a fault applies can be narrowed only.\n\n"
            "Exit status: 0 done; 2 misuse or a bad value, nothing was changed.\n\n"
            "Example: mishap set mishap-out/demo slow-redis.delay='2s jitter 500ms'\n",
    };
    struct options o = {0};
    struct mh_live live;
    int status;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    status = mh_live_open(o.run, &live);
    if (!status)
        status = o.nwords ? change(&o, live.control) : show(live.control);
    mh_live_close(&live);
    return status;
}
