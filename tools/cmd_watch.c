/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap watch`: a run while it runs, graded anew each time from what was recorded so far. It only
 * reads: the run cannot tell that somebody looks. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/num.h"
#include "base/sys.h"
#include "cmd.h"
#include "control/control.h"
#include "files.h"
#include "judge.h"
#include "log.h"
#include "report/doc.h"
#include "report/report.h"
#include "report/table.h"
#include "report/term.h"
#include "report/utf8.h"
#include "run/live.h"

#include "base/banned.h"

enum { MOST_FINDINGS = 6, MOST_ROWS = 12 };

/* A look may take this part of the time at most, however long the recordings are. */
enum { PART_OF_TIME = 4 };

struct options {
    const char *run;
    int64_t every_ns;
    bool once, json;
};

struct view {
    const struct mh_control *c;
    const json_t *document; /* NULL: nothing recorded yet */
    struct mh_term t;
};

static void title(struct view *v, const char *text)
{
    mh_term_end(&v->t);
    mh_term_put(&v->t, MH_BOLD, text);
    mh_term_end(&v->t);
}

static bool is_alive(long long pid)
{
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static bool run_goes_on(const struct mh_control *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(c->members); i++) {
        int pid = __atomic_load_n(&c->members[i].pid, __ATOMIC_ACQUIRE);

        if (pid && __atomic_load_n(&c->members[i].ended, __ATOMIC_ACQUIRE) == MH_MEMBER_LIVES &&
            is_alive(pid))
            return true;
    }
    return !c->processes; /* not begun */
}

static void show_head(struct view *v, const char *dir)
{
    int64_t origin = v->c->origin_at;
    uint64_t fired = 0;

    for (size_t i = 0; i < ARRAY_SIZE(v->c->fired); i++)
        fired += v->c->fired[i];
    mh_term_printf(&v->t, MH_BOLD, "%s", dir);
    mh_term_end(&v->t);
    mh_term_printf(&v->t, MH_PLAIN,
                   "%s, %.1f s since the origin; faults %" PRIu64 ", requests %" PRIu64,
                   !run_goes_on(v->c) ? "ended"
                   : v->c->off        ? "switched off"
                   : v->c->calm       ? "calm start"
                                      : "running",
                   origin ? (double)(mh_now() - origin) / 1e9 : 0.0, fired, v->c->units);
    mh_term_printf(&v->t, v->c->units_5xx ? MH_RED : MH_PLAIN, ", 5xx %" PRIu64, v->c->units_5xx);
    mh_term_end(&v->t);
}

/* What became of each fault's trials, as "3 degraded, 1 hung". */
static void sum_up(const json_t *cases, const char *fault, char *ret, size_t size)
{
    const json_t *one;
    size_t i, n = 0;

    *ret = 0;
    for (size_t k = 0; mh_outcome_names[k]; k++) {
        json_int_t fired = 0;

        json_array_foreach(cases, i, one)
        {
            if (!strcmp(mh_doc_text(one, "fault"), fault) &&
                !strcmp(mh_doc_text(one, "outcome"), mh_outcome_names[k]))
                fired += mh_doc_int(one, "fired");
        }
        if (fired && n < size)
            n += (size_t)snprintf(ret + n, size - n, "%s%" JSON_INTEGER_FORMAT " %s", n ? ", " : "",
                                  fired, mh_outcome_names[k]);
    }
}

static int show_faults(struct view *v)
{
    static const struct mh_table_column columns[] = {
        {"Fault", 26, false}, {"State", 5, false}, {"Fired", 8, true}, {"Became", 34, false}};
    struct mh_table *table;

    if (!v->c->nfaults)
        return 0;
    mh_term_end(&v->t);
    table = mh_table_new(&v->t, columns, ARRAY_SIZE(columns));
    for (unsigned i = 0; table && i < v->c->nfaults; i++) {
        char became[256];

        sum_up(json_object_get(v->document, "cases"), v->c->names[i], became, sizeof(became));
        mh_table_text(table, v->c->names[i]);
        mh_table_text(table, v->c->off || v->c->fault_off[i / 64] >> i % 64 & 1 ? "off" : "on");
        mh_table_printf(table, "%" PRIu64, v->c->fired[i]);
        mh_table_text(table, became);
    }
    return mh_table_finish(table, &v->t);
}

static int show_peers(struct view *v)
{
    static const struct mh_table_column columns[] = {{"Peer", 36, false},
                                                     {"Role", 9, false},
                                                     {"Calls", 9, true},
                                                     {"Faults", 8, true},
                                                     {"Failures", 8, true}};
    const json_t *peers = json_object_get(v->document, "peers"), *one;
    struct mh_table *table;
    size_t i;

    if (!json_array_size(peers))
        return 0;
    mh_term_end(&v->t);
    table = mh_table_new(&v->t, columns, ARRAY_SIZE(columns));
    json_array_foreach(peers, i, one)
    {
        if (!table || i == MOST_ROWS)
            break;
        mh_table_text(table, mh_doc_text(one, "name"));
        mh_table_text(table, mh_doc_text(one, "role"));
        mh_table_printf(table, "%lld", mh_doc_int(one, "calls"));
        mh_table_printf(table, "%lld", mh_doc_int(one, "faults"));
        mh_table_printf(table, "%lld", mh_doc_int(one, "failures"));
    }
    return mh_table_finish(table, &v->t);
}

static int show_processes(struct view *v)
{
    static const struct mh_table_column columns[] = {
        {"Pid", 8, true}, {"State", 9, false}, {"Role", 22, false}, {"Command", 34, false}};
    const json_t *processes = json_object_get(v->document, "processes"), *one;
    struct mh_table *table;
    size_t i;

    if (!json_array_size(processes))
        return 0;
    mh_term_end(&v->t);
    table = mh_table_new(&v->t, columns, ARRAY_SIZE(columns));
    json_array_foreach(processes, i, one)
    {
        if (!table || i == MOST_ROWS)
            break;
        mh_table_printf(table, "%lld", mh_doc_int(one, "pid"));
        if (mh_doc_known(one, "exit"))
            mh_table_printf(table, "exit %lld", mh_doc_int(one, "exit"));
        else
            mh_table_text(table, is_alive(mh_doc_int(one, "pid")) ? "alive" : "gone");
        mh_table_text(table, mh_doc_text(one, "role"));
        mh_table_text(table, mh_doc_text(one, "command"));
    }
    return mh_table_finish(table, &v->t);
}

static void show_findings(struct view *v)
{
    const json_t *findings = json_object_get(v->document, "findings"), *one;
    size_t i;

    if (!json_array_size(findings))
        return;
    title(v, "Findings so far");
    json_array_foreach(findings, i, one)
    {
        if (i == MOST_FINDINGS) {
            mh_term_printf(&v->t, MH_DIM, "  and %zu more", json_array_size(findings) - i);
            mh_term_end(&v->t);
            return;
        }
        mh_term_printf(&v->t, MH_PLAIN, "  %-8s %s %s", mh_doc_text(one, "severity"),
                       mh_doc_text(one, "rule"), mh_doc_text(one, "title"));
        mh_term_end(&v->t);
    }
}

static int print(struct view *v, const char *dir, struct mh_out *out)
{
    struct mh_report_options options = mh_report_options_for(stdout);
    struct mh_utf8_locale locale = mh_utf8_enter();
    int r;

    mh_term_init(&v->t, out, &options);
    show_head(v, dir);
    r = show_faults(v);
    r = r < 0 ? r : show_peers(v);
    r = r < 0 ? r : show_processes(v);
    show_findings(v);
    mh_utf8_leave(locale);
    return r < 0 ? r : mh_out_save(out, NULL);
}

/* NULL: there is nothing to read yet. */
static json_t *look(const char *dir)
{
    struct mh_files files = {0};
    json_t *document = NULL;

    if (mh_files_add(&files, dir) > 0 && mh_judge_load(dir, &document))
        document = NULL;
    mh_files_done(&files);
    return document;
}

static int show(const struct options *o, const char *dir, const struct mh_control *c)
{
    struct mh_out out = {.error = 0};
    struct view v = {.c = c};
    json_t *document = look(dir);
    int r = 0;

    v.document = document;
    if (!o->once && isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    if (!o->json)
        r = print(&v, dir, &out);
    else if (document && (json_dumpf(document, stdout, JSON_COMPACT) || putchar('\n') == EOF))
        r = -EIO;
    fflush(stdout);
    mh_out_done(&out);
    json_decref(document);
    return r < 0 ? (mh_log_errno(r, "Cannot show the run"), MH_EXIT_TROUBLE) : MH_EXIT_OK;
}

/* Ends by itself when the run does, after a last look. Ctrl-C ends it at any time. */
static int watch(const struct options *o, const char *dir, const struct mh_control *c)
{
    int status;

    for (;;) {
        bool last = o->once || !run_goes_on(c);
        int64_t began = mh_now(), took;

        status = show(o, dir, c);
        if (status || last)
            return status;
        took = mh_now() - began;
        poll(NULL, 0, (int)(MH_MAX(o->every_ns, took * PART_OF_TIME) / 1000000));
    }
}

enum { KEY_EVERY = 256, KEY_ONCE, KEY_JSON };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_EVERY:
        if (mh_num_time(arg, &o->every_ns) < 0 || o->every_ns < 100000000 ||
            o->every_ns > INT64_C(3600000000000))
            argp_error(state, "--every: '%s' is no time from 100ms to 1h", arg);
        return 0;
    case KEY_ONCE:
        o->once = true;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->run)
            argp_error(state, "one run at a time");
        o->run = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->run)
            argp_error(state, "which run? name its directory, or one of its processes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int mh_cmd_watch(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"every", KEY_EVERY, "TIME", 0, "How often to look (default 1s)", 0},
        {"once", KEY_ONCE, 0, 0, "Look once; so it is when stdout is no terminal", 0},
        {"json", KEY_JSON, 0, 0, "The graded document of each look, a line each", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "DIR|PID",
        .doc = "Shows a run while it runs: faults and what became of them, peers, processes, "
               "findings so far."
               "\vDIR is the run's output directory, PID one of its processes. It ends with the "
               "run. The run itself is not touched: whatever is shown is read from its "
               "recordings.\n\n"
               "Exit status: 0 fine, 2 misuse, 3 mishap's own trouble.\n",
    };
    struct options o = {.every_ns = 1000000000};
    _cleanup_free_ char *dir = NULL;
    struct mh_control *c = NULL;
    int status, r;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    o.once = o.once || (!o.json && !isatty(STDOUT_FILENO));
    status = mh_live_directory(o.run, &dir);
    if (status)
        return status;
    r = mh_control_open(dir, false, &c);
    if (r < 0) {
        mh_log(r == -ENOENT ? "'%s' holds no run" : "'%s' holds a run of another version of mishap",
               o.run);
        return MH_EXIT_MISUSE;
    }
    status = watch(&o, dir, c);
    munmap(c, sizeof(*c));
    return status;
}
