/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap check`: tells every mistake of a scenario, or says in English what it will do and when.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/num.h"
#include "cmd.h"
#include "listing.h"
#include "log.h"
#include "rule/load.h"
#include "run/library.h"

#include "base/banned.h"

struct options {
    char **files; /* borrowed from argv */
    size_t nfiles;
    bool quiet;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'q':
        o->quiet = true;
        return 0;
    case ARGP_KEY_ARGS:
        o->files = state->argv + state->next;
        o->nfiles = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state,
                   "which scenario? name an INI file, or one that `mishap list scenarios` shows");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_mistakes(const struct mh_mistakes *m)
{
    unsigned shown = MH_MIN(m->n, (unsigned)ARRAY_SIZE(m->at));

    for (unsigned i = 0; i < shown; i++)
        if (m->at[i].line)
            fprintf(stderr, "%s:%d: %s\n", m->at[i].file, m->at[i].line, m->at[i].text);
        else
            fprintf(stderr, "%s: %s\n", m->at[i].file, m->at[i].text);
    if (m->n > shown)
        mh_log("and %u mistakes more", m->n - shown);
}

/* Words from column `indent` on, broken at the terminal's width. */
static void print_wrapped(const char *text, int indent, int width)
{
    int at = indent;

    while (*text) {
        size_t n = strcspn(text, " ");

        if (at > indent && at + 1 + (int)n > width) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, text);
        at += (int)n;
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

static void print_faults(const struct mh_rules *rules)
{
    int width = mh_log_width(stdout);

    for (unsigned i = 0; i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        char text[4096] = "";
        struct mh_buf b = {text, sizeof(text), 0, false};

        printf("  %s:", f->name);
        mh_fault_sentence(f, &b);
        mh_buf_add_char(&b, '.');
        if (mh_fault_by_route(f))
            mh_buf_add(&b, " It does not fire for requests behind TLS, whose route is not seen.");
        if ((int)(strlen(f->name) + b.len) + 4 > width)
            printf("\n     ");
        putchar(' ');
        print_wrapped(text, 6, width);
    }
}

static void add_time(struct mh_listing *l, int64_t ns)
{
    MH_BUF(b, 32);

    mh_num_say_time(&b, ns);
    mh_listing_add(l, b.data);
}

static int print_phases(const struct mh_rules *rules)
{
    static const struct mh_listing_column columns[] = {
        {" FROM", 10, false}, {"FOR", 10, false}, {"PHASE", 20, false}, {"FAULTS", 0, false}};
    struct mh_listing *l = mh_listing_new(columns, ARRAY_SIZE(columns), MH_LISTING_text);

    for (unsigned i = 0; i < rules->nphases; i++) {
        const struct mh_phase *p = &rules->phases[i];
        char names[MH_MAX_FAULTS * (MH_NAME_SIZE + 2)] = "";
        struct mh_buf b = {names, sizeof(names), 0, false};
        MH_BUF(from, 32);

        mh_buf_add(&from, " ");
        mh_num_say_time(&from, p->start_ns);
        mh_listing_add(l, from.data);
        if (p->for_ns)
            add_time(l, p->for_ns);
        else
            mh_listing_add(l, "to the end");
        for (unsigned f = 0; f < rules->nfaults; f++)
            if (p->faults[f / 64] & UINT64_C(1) << f % 64) {
                mh_buf_add(&b, b.len ? " " : "");
                mh_buf_add(&b, rules->faults[f].name);
            }
        mh_listing_add(l, p->name);
        mh_listing_add(l, b.len ? names : "none");
    }
    return mh_listing_finish(l);
}

static void print_run(const struct mh_rules *rules)
{
    MH_BUF(stop, 32);

    mh_num_say_time(&stop, rules->stop_after_ns);
    if (rules->seed_given)
        printf("  seed %" PRIu64 "; ", rules->seed);
    else
        printf("  a new seed each run; ");
    printf("processes ");
    for (unsigned i = 0; i < rules->nprocesses; i++)
        printf("%s%s", i ? ", " : "", rules->processes[i]);
    printf("%s; passes through after %s\n", rules->nprocesses ? "" : "python*", stop.data);
    for (unsigned i = 0; i < rules->naborts; i++) {
        MH_BUF(abort, 80);

        mh_abort_say(&rules->aborts[i], &abort);
        printf("%s%s", i ? ", or " : "  `mishap run` lifts all faults for good if ", abort.data);
    }
    printf("%s", rules->naborts ? "\n" : "");
}

static int check(const char *path, bool quiet, struct mh_rules *rules, struct mh_mistakes *mistakes)
{
    int r = mh_rules_load(path, rules, mistakes);

    print_mistakes(mistakes);
    if (r < 0)
        return MH_EXIT_MISUSE;
    if (quiet)
        return MH_EXIT_OK;
    printf("%s: %u fault%s, %u phase%s\n", path, rules->nfaults, rules->nfaults == 1 ? "" : "s",
           rules->nphases, rules->nphases == 1 ? "" : "s");
    print_run(rules);
    print_faults(rules);
    if (rules->nphases)
        r = print_phases(rules);
    else if (rules->nfaults)
        printf("  without phases, from the start to the end\n");
    return r < 0 ? (mh_log_errno(r, "Cannot print the phases"), MH_EXIT_TROUBLE) : MH_EXIT_OK;
}

/* A file as it was named, or the path of a shipped scenario of that name; caller frees. */
static char *file_path(const char *name)
{
    char *found = strpbrk(name, ":/") ? NULL : mh_scenario_find(name);
    char *own = found ? realpath(name, NULL) : NULL;

    if (found && !own)
        return found;
    free(found);
    free(own);
    return strdup(name);
}

int mh_cmd_check(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"quiet", 'q', NULL, 0, "Say nothing of scenarios without mistakes", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "FILE...",
        .doc = "Validates scenarios and says each fault as one English sentence."
               "\vEach FILE is a scenario by itself; FILE:FILE is one made of both. Mistakes are "
               "told as FILE:LINE: MESSAGE on stderr, all of them.\n\n"
               "Exit status: 0 all are fine; 2 there is a mistake.\n",
    };
    _cleanup_free_ struct mh_rules *rules = calloc(1, sizeof(*rules));
    _cleanup_free_ struct mh_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    struct options o = {0};
    int status = MH_EXIT_OK;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    for (size_t i = 0; i < o.nfiles; i++) {
        _cleanup_free_ char *path = file_path(o.files[i]);
        int r = MH_EXIT_TROUBLE;

        if (!rules || !mistakes || !path)
            return mh_log_errno(-ENOMEM, "Cannot check '%s'", o.files[i]), MH_EXIT_TROUBLE;
        if (i && !o.quiet && !status)
            putchar('\n');
        r = check(path, o.quiet, rules, mistakes);
        status = MH_MAX(status, r);
    }
    if (!status && !o.quiet)
        printf("\nNext: mishap run -c %s -- COMMAND\n", o.files[0]);
    return status;
}
