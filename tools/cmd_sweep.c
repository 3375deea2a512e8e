/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap sweep`: a clean run, then one run for each place that it showed, in which just that place
 * fails. Each run is an ordinary `mishap run` in a process of its own. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/num.h"
#include "base/sys.h"
#include "cmd.h"
#include "files.h"
#include "grade/grade.h"
#include "judge.h"
#include "log.h"
#include "report/doc.h"
#include "report/report.h"
#include "run/plan.h"
#include "sweep.h"

#include "base/banned.h"

enum { MOST_JOBS = 64, MOST_TIMES = 1000000, MOST_WORDS = 24 };

struct options {
    const char *dir, *with, *ready, *for_text, *fail_on;
    uint64_t seed, jobs, times;
    int64_t budget_ns;
    bool json, quiet;
    char **command;
};

struct sweep {
    const struct options *o;
    struct mh_targets targets;
    char *dir; /* absolute */
    char clean[PATH_MAX];
    json_t *results, *left_out;
    struct child {
        pid_t pid; /* 0: not running */
        int64_t began;
    } * children; /* by target */
    int64_t began, longest;
    size_t next, running, done;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    interrupted = number;
}

enum { KEY_SEED = 256, KEY_FOR, KEY_WITH, KEY_READY, KEY_BUDGET, KEY_TIMES, KEY_JSON, KEY_FAIL_ON };

static const struct argp_option rows[] = {
    {"out", 'o', "DIR", 0, "Where all runs go (default mishap-out/TIME-PID)", 0},
    {"budget", KEY_BUDGET, "TIME", 0, "Begin no run that would not end within TIME (default 10m)",
     0},
    {"jobs", 'j', "N", 0, "So many runs at once (default 1); not with --ready", 0},
    {"times", KEY_TIMES, "N", 0, "How often each place fails: the first N calls (default 1)", 0},
    {"seed", KEY_SEED, "N", 0, "Of every run (default 1)", 0},
    {"for", KEY_FOR, "TIME", 0, "End each run after TIME", 0},
    {"with", KEY_WITH, "CMD", 0, "Shell command that makes load; a run ends when it ends", 0},
    {"ready", KEY_READY, "HOST:PORT|URL", 0, "As of mishap run: when a run begins", 0},
    {"fail-on", KEY_FAIL_ON, "SEVERITY", 0, "Exit 10 when a finding is this bad or worse", 0},
    {"json", KEY_JSON, 0, 0, "The sweep as one JSON object; DIR/sweep.json is the same", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static void parse_number(const char *name, const char *arg, uint64_t most, uint64_t *ret,
                         struct argp_state *state)
{
    if (mh_num_uint(arg, ret) < 0 || !*ret || *ret > most)
        argp_error(state, "--%s: '%s' is no number from 1 to %" PRIu64, name, arg, most);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'o':
        o->dir = arg;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case 'j':
        parse_number("jobs", arg, MOST_JOBS, &o->jobs, state);
        return 0;
    case KEY_TIMES:
        parse_number("times", arg, MOST_TIMES, &o->times, state);
        return 0;
    case KEY_SEED:
        parse_number("seed", arg, MH_PLAN_SEED_MAX, &o->seed, state);
        return 0;
    case KEY_BUDGET:
        if (mh_num_time(arg, &o->budget_ns) < 0 || o->budget_ns <= 0)
            argp_error(state, "--budget: '%s' is not a time such as 60s or 10m", arg);
        return 0;
    case KEY_FOR:
        o->for_text = arg;
        return 0;
    case KEY_WITH:
        o->with = arg;
        return 0;
    case KEY_READY:
        o->ready = arg;
        return 0;
    case KEY_FAIL_ON:
        o->fail_on = arg;
        if (mh_severity_named(arg) < 0)
            argp_error(state, "--fail-on: '%s' is none of low, medium, high, critical", arg);
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        o->command = &state->argv[state->next - 1];
        state->next = state->argc; /* all the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command? mishap sweep [OPTION...] -- COMMAND [ARG...]");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* `mishap run` with these words, in a child that says nothing. Returns its pid or -errno. */
static pid_t start(const struct sweep *s, const char *scenario, const char *dir)
{
    const struct options *o = s->o;
    const char *fixed[MOST_WORDS] = {"mishap run", "--quiet", "-o", dir, "--kernel", "off"};
    size_t n = 6, args = 0;
    char seed[24];
    pid_t pid = fork();

    if (pid)
        return pid < 0 ? -errno : pid;
    snprintf(seed, sizeof(seed), "%" PRIu64, o->seed);
    const struct {
        const char *option, *value;
    } more[] = {{"--seed", seed},      {"--with", o->with},
                {"--ready", o->ready}, {"--for", o->for_text},
                {"-c", scenario},      {"--baseline", scenario ? s->clean : NULL}};

    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        if (more[i].value) {
            fixed[n++] = more[i].option;
            fixed[n++] = more[i].value;
        }
    fixed[n++] = "--no-calm";
    fixed[n++] = "--";
    while (o->command[args])
        args++;
    const char **words = calloc(n + args + 1, sizeof(*words));
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (!words || null < 0)
        _exit(MH_EXIT_TROUBLE);
    memcpy(words, fixed, n * sizeof(*words));
    memcpy(words + n, o->command, args * sizeof(*words));
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (scenario) /* the clean run's errors are the user's to see */
        dup2(null, STDERR_FILENO);
    _exit(mh_cmd_run((int)(n + args), (char **)(uintptr_t)words));
}

static int status_of(int how)
{
    return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

static void show(const struct sweep *s, const char *what)
{
    if (s->o->quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K");
    if (what)
        fprintf(stderr, "sweep: %zu of %zu, %.60s", s->done, s->targets.n, what);
}

static void leave_out(struct sweep *s, const struct mh_target *t, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text), "%s, %s%s%s: %s", t->call, t->where, *t->site ? ", in " : "",
             t->site, why);
    json_array_append_new(s->left_out, json_string(text));
}

static void name_of(size_t i, char ret[32])
{
    snprintf(ret, 32, "place-%02zu", i + 1);
}

static int begin(struct sweep *s)
{
    const struct mh_target *t = &s->targets.v[s->next];
    char name[32], scenario[PATH_MAX + 32], dir[PATH_MAX + 32];
    pid_t pid;
    int r;

    name_of(s->next, name);
    snprintf(scenario, sizeof(scenario), "%s/%s.ini", s->dir, name);
    snprintf(dir, sizeof(dir), "%s/%s", s->dir, name);
    r = mh_target_write(t, name, (unsigned)s->o->times, scenario);
    if (r < 0)
        return mh_log_errno(r, "Cannot write '%s'", scenario);
    pid = start(s, scenario, dir);
    if (pid < 0)
        return mh_log_errno((int)pid, "Cannot start a run");
    s->children[s->next++] = (struct child){pid, mh_now()};
    s->running++;
    show(s, t->where);
    return 0;
}

/* Takes in one run that has ended. */
static void end(struct sweep *s)
{
    int how;
    pid_t pid = waitpid(-1, &how, 0);

    for (size_t i = 0; pid > 0 && i < s->next; i++) {
        char name[32], dir[PATH_MAX + 32];

        if (s->children[i].pid != pid)
            continue;
        s->children[i].pid = 0;
        s->running--;
        s->done++;
        s->longest = MH_MAX(s->longest, mh_now() - s->children[i].began);
        name_of(i, name);
        snprintf(dir, sizeof(dir), "%s/%s", s->dir, name);
        json_array_set_new(s->results, i,
                           mh_target_result(&s->targets.v[i], name, dir, status_of(how)));
    }
}

static int all_of_them(struct sweep *s)
{
    for (size_t i = 0; i < s->targets.n; i++)
        json_array_append_new(s->results, json_null());
    while (s->running || (s->next < s->targets.n && !interrupted)) {
        bool time = mh_now() - s->began + s->longest <= s->o->budget_ns;

        if (!interrupted && time && s->next < s->targets.n && s->running < s->o->jobs) {
            if (begin(s) < 0)
                return MH_EXIT_TROUBLE;
            continue;
        }
        if (!s->running)
            break;
        end(s);
    }
    show(s, NULL);
    for (size_t i = json_array_size(s->results); i-- > s->next;)
        json_array_remove(s->results, i);
    for (size_t i = s->next; i < s->targets.n; i++)
        leave_out(s, &s->targets.v[i],
                  interrupted ? "the sweep was interrupted" : "--budget was spent");
    return MH_EXIT_OK;
}

/* Gate, then whether anything was tried at all. */
static int verdict(const struct sweep *s)
{
    int bar = s->o->fail_on ? mh_severity_named(s->o->fail_on) : INT_MAX;
    const json_t *target, *one;
    size_t i, k;
    bool fired = false;

    json_array_foreach(s->results, i, target)
    {
        fired = fired || mh_doc_int(target, "fired") > 0;
        json_array_foreach(json_object_get(target, "findings"), k, one)
        {
            if (mh_severity_named(mh_doc_text(one, "severity")) >= bar)
                return MH_EXIT_GATE;
        }
    }
    return fired ? MH_EXIT_OK : MH_EXIT_UNJUDGED;
}

static int put_json(FILE *out, void *context)
{
    return json_dumpf(context, out, JSON_INDENT(2)) || putc('\n', out) == EOF ? -EIO : 0;
}

static int tell(struct sweep *s)
{
    struct mh_report_options options = mh_report_options_for(stdout);
    _cleanup_free_ char *path = NULL;
    json_t *all = json_pack("{s:i,s:s,s:o,s:o,s:o}", "schema_version", 1, "dir", s->dir, "command",
                            json_array(), "targets", s->results, "left_out", s->left_out);
    int r = all ? 0 : -ENOMEM;

    for (char **arg = s->o->command; all && *arg; arg++)
        json_array_append_new(json_object_get(all, "command"), json_string(*arg));
    if (!r && asprintf(&path, "%s/sweep.json", s->dir) < 0)
        r = -ENOMEM;
    r = r ? r : mh_files_write(path, put_json, all);
    if (!r)
        r = s->o->json ? mh_files_write(NULL, put_json, all) : mh_sweep_tell(all, &options);
    if (r < 0)
        mh_log_errno(r, "Cannot write the sweep");
    r = r < 0 ? MH_EXIT_TROUBLE : verdict(s);
    json_decref(all);
    return r;
}

static int clean_run(struct sweep *s)
{
    int how = 0, status;
    pid_t pid;

    if (!s->o->quiet && !s->o->json)
        printf("Sweep: a clean run first\n");
    fflush(stdout);
    pid = start(s, NULL, s->clean);
    if (pid < 0)
        return mh_log_errno((int)pid, "Cannot start a run"), MH_EXIT_TROUBLE;
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    s->longest = mh_now() - s->began;
    status = status_of(how);
    if (status)
        mh_log("the clean run failed (status %d): nothing is swept", status);
    return status;
}

static int find_targets(struct sweep *s)
{
    int r = mh_targets_find(s->clean, &s->targets);

    if (r < 0) {
        mh_log("the clean run recorded nothing: is COMMAND a Python program? See `mishap doctor`");
        return MH_EXIT_TROUBLE;
    }
    for (char *line = s->targets.left_out; line && *line;) {
        size_t n = strcspn(line, "\n");

        json_array_append_new(s->left_out, json_stringn(line, n));
        line += n + !!line[n];
    }
    s->children = calloc(s->targets.n + 1, sizeof(*s->children));
    if (!s->children)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    if (!s->o->quiet && !s->o->json)
        printf("%zu places where it calls, looks up, opens or writes something\n", s->targets.n);
    fflush(stdout);
    return MH_EXIT_OK;
}

static int sweep(const struct options *o)
{
    struct sweep s = {.o = o, .began = mh_now(), .results = json_array(), .left_out = json_array()};
    struct sigaction action = {.sa_handler = on_interrupt};
    struct mh_plan top = {0};
    int status = mh_plan_directory(&top, o->dir);

    s.dir = top.dir;
    if (!status) {
        snprintf(s.clean, sizeof(s.clean), "%s/clean", s.dir);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        status = clean_run(&s);
    }
    if (!status && !interrupted)
        status = find_targets(&s);
    if (!status)
        status = all_of_them(&s);
    action.sa_handler = SIG_DFL; /* what is left is soon done, and can be ended */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!status)
        status = tell(&s);
    mh_targets_done(&s.targets);
    free(s.children);
    mh_plan_done(&top);
    return status;
}

int mh_cmd_sweep(int argc, char **argv)
{
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "-- COMMAND [ARG...]",
        .doc =
            "Runs COMMAND once without faults, and then once for each place where it called a "
            "peer, looked up a name, opened or wrote a file: there that call fails, once, and "
            "nothing else does."
            "\vA place is the innermost function of the application with its callers, the kind of "
            "call, and the peer or path. COMMAND must do the same each time; one that changes what "
            "it depends on makes that new first.\n\n"
            "Exit status: 0 fine; 2 misuse; 3 mishap's own trouble; 10 --fail-on; 11 no fault "
            "fired anywhere; the command's own when its clean run failed.\n\n"
            "Example: mishap sweep -j 4 -- python3 nightly.py\n",
    };
    struct options o = {.seed = 1, .jobs = 1, .times = 1, .budget_ns = INT64_C(600000000000)};

    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o))
        return MH_EXIT_MISUSE;
    if (o.ready && o.jobs > 1)
        mh_log("-j: with --ready there is one port, so one run at a time");
    else if (!mh_plan_command_exists(o.command[0]))
        mh_log("there is no command '%s'", o.command[0]);
    else
        return sweep(&o);
    return MH_EXIT_MISUSE;
}
