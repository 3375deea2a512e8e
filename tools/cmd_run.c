/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap run`: the options, the order of things, and what the exit status says. The supervisor is
 * in run/, the verdict in judge.c. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/num.h"
#include "cmd.h"
#include "compose.h"
#include "judge.h"
#include "kernel/kernel.h"
#include "log.h"
#include "run/manifest.h"
#include "run/plan.h"
#include "run/ready.h"
#include "run/record.h"
#include "run/supervise.h"
#include "run/tell.h"

#include "base/banned.h"

#define CALM_NS       INT64_C(5000000000)      /* of a clean run before a scenario that has none */
#define LONGEST_NS    INT64_C(604800000000000) /* a week */
#define CLEAN_NS      INT64_C(8000000000)      /* of the clean run of --plan */
#define LEAST_PLAN_NS INT64_C(10000000000)
enum { MOST_ARGS = 256 };

struct options {
    struct mh_scenarios scenarios;
    const char *dir, *with, *ready, *only, *plan;
    int64_t for_ns, grace_ns, ready_ns;
    uint64_t seed;
    int load_status; /* of the run that is over */
    bool seed_given, no_calm, quiet;
    enum { KERNEL_AUTO, KERNEL_ON, KERNEL_OFF } watch; /* --kernel */
    char **command;
    struct mh_judge judge;
};

enum {
    KEY_SEED = 256,
    KEY_FOR,
    KEY_WITH,
    KEY_READY,
    KEY_READY_WITHIN,
    KEY_NO_CALM,
    KEY_KERNEL,
    KEY_ONLY,
    KEY_PLAN,
    KEY_GRACE
};

static const struct argp_option option_rows[] = {
    {"config", 'c', "FILE", 0, "Scenario: a file, or the name of a shipped one; may repeat", 0},
    {"out", 'o', "DIR", 0, "Where recordings go (default mishap-out/TIME-PID)", 0},
    {"seed", KEY_SEED, "N", 0, "Of all random draws (default: the scenario's, else random)", 0},
    {"for", KEY_FOR, "TIME", 0, "End the run after TIME (60s, 2m), counted from the origin", 0},
    {"with", KEY_WITH, "CMD", 0, "Shell command that makes load; the run ends when it ends", 0},
    {"grace", KEY_GRACE, "TIME", 0,
     "End the run as an orchestrator does: SIGTERM to the command while the load goes on, SIGKILL "
     "after TIME",
     0},
    {"ready", KEY_READY, "HOST:PORT|URL", 0,
     "Begin when the command takes a connection here, or answers this URL of http with a status "
     "below 500",
     0},
    {"ready-within", KEY_READY_WITHIN, "TIME", 0, "How long to wait for --ready (default 30s)", 0},
    {"no-calm", KEY_NO_CALM, 0, 0, "No faultless start of the load before a scenario without one",
     0},
    {"only", KEY_ONLY, "FAULT", 0, "Of the scenario's faults this one alone", 0},
    {"plan", KEY_PLAN, "quick|full", 0,
     "Instead of -c: a clean run first, and from what it shows the faults that this application "
     "needs; --for is the time of both",
     0},
    {"kernel", KEY_KERNEL, "auto|on|off", 0,
     "Ask the kernel, too (eBPF): auto where it can be had, on or it is an error", 0},
    {"quiet", 'q', 0, 0, "No progress, no text report; only errors and files", 0},
    {0},
};

static const char doc[] =
    "Runs COMMAND under faults, and grades how it coped."
    "\v"
    "The clock of phases starts when --ready answers, else with the command. The run ends with "
    "--with, after --for, with the last phase when neither is given, or with the command. With "
    "--with and a scenario whose first phase has faults, the load first runs for 5 s without any "
    "(--no-calm: not). Ctrl-C ends it politely, twice at once; the report is made all the same.\n"
    "\n"
    "Exit status: the command's own when that failed; 0 fine; 2 misuse, nothing was started; 3 "
    "mishap's own trouble; 10 the gate failed; 11 nothing fired or too little was seen for a gate; "
    "12 unhealthy with no fault active.\n"
    "\n"
    "Example: mishap run -c slow-redis --ready :8000 --with './load' -- uvicorn app:app\n";

static void parse_seed(struct options *o, const char *arg, struct argp_state *state)
{
    int r = mh_num_uint(arg, &o->seed);

    o->seed_given = true;
    if (r == -ERANGE || (r == 0 && o->seed > MH_PLAN_SEED_MAX))
        argp_error(state, "--seed: %s is out of range; it ends at %" PRIu64, arg, MH_PLAN_SEED_MAX);
    else if (r < 0)
        argp_error(state, "--seed: '%s' is not a number", arg);
}

static void parse_time(const char *name, const char *arg, int64_t *ret, struct argp_state *state)
{
    int r = mh_num_time(arg, ret);

    if (r == -ERANGE || (r == 0 && (*ret <= 0 || *ret > LONGEST_NS)))
        argp_error(state, "--%s: %s is out of range", name, arg);
    else if (r < 0)
        argp_error(state, "--%s: '%s' is not a time such as 500ms, 60s or 2m", name, arg);
}

static void parse_kernel(struct options *o, const char *arg, struct argp_state *state)
{
    static const char *const names[] = {
        [KERNEL_AUTO] = "auto", [KERNEL_ON] = "on", [KERNEL_OFF] = "off"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(arg, names[i])) {
            o->watch = i;
            return;
        }
    argp_error(state, "--kernel: '%s' is none of auto, on, off", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->judge;
        return 0;
    case 'c':
        mh_scenarios_add(&o->scenarios, arg, state);
        return 0;
    case 'o':
        o->dir = arg;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case KEY_SEED:
        parse_seed(o, arg, state);
        return 0;
    case KEY_FOR:
        parse_time("for", arg, &o->for_ns, state);
        return 0;
    case KEY_GRACE:
        parse_time("grace", arg, &o->grace_ns, state);
        return 0;
    case KEY_WITH:
        o->with = arg;
        return 0;
    case KEY_READY:
        o->ready = arg;
        return 0;
    case KEY_READY_WITHIN:
        parse_time("ready-within", arg, &o->ready_ns, state);
        return 0;
    case KEY_ONLY:
        o->only = arg;
        return 0;
    case KEY_KERNEL:
        parse_kernel(o, arg, state);
        return 0;
    case KEY_PLAN:
        if (strcmp(arg, "quick") && strcmp(arg, "full"))
            argp_error(state, "--plan: '%s' is neither quick nor full", arg);
        o->plan = arg;
        return 0;
    case KEY_NO_CALM:
        o->no_calm = true;
        return 0;
    case ARGP_KEY_ARG:
        o->command = &state->argv[state->next - 1];
        state->next = state->argc; /* all the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command? mishap run [OPTION...] -- COMMAND [ARG...]");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The place of the fault that --only names; -1 when it is none of the scenario's. */
static int only_fault(const struct options *o, const struct mh_plan *plan)
{
    for (unsigned i = 0; plan->rules && i < plan->rules->nfaults; i++)
        if (!strcmp(plan->rules->faults[i].name, o->only))
            return (int)i;
    return -1;
}

static int check_only(const struct options *o, const struct mh_plan *plan)
{
    if (!o->only || only_fault(o, plan) >= 0)
        return MH_EXIT_OK;
    mh_log("--only: the scenario has no fault '%s'", o->only);
    for (unsigned i = 0; plan->rules && i < plan->rules->nfaults; i++)
        fprintf(stderr, "%s %s", i ? "" : "        it has:", plan->rules->faults[i].name);
    fprintf(stderr, "%s", plan->rules ? "\n" : "");
    return MH_EXIT_MISUSE;
}

static int prepare(const struct options *o, struct mh_plan *plan, struct mh_ready **ret_where)
{
    int status = MH_EXIT_OK;

    if (!mh_plan_command_exists(o->command[0])) {
        mh_log("there is no command '%s'", o->command[0]);
        return MH_EXIT_MISUSE;
    }
    status = mh_plan_config(plan, o->scenarios.v, o->scenarios.n);
    if (!status)
        status = check_only(o, plan);
    if (!status)
        status = mh_judge_check(&o->judge);
    if (!status && o->ready)
        status = mh_plan_ready(o->ready, ret_where);
    if (!status)
        status = mh_plan_library(plan, o->command);
    if (!status)
        status = mh_plan_program(plan, o->command);
    if (!status)
        status = mh_plan_directory(plan, o->dir);
    if (!status)
        status = mh_plan_environment(plan, o->seed_given ? &o->seed : NULL);
    return status;
}

/* Evidence that a run can do without, unless the user said `on`. Returns an exit status. */
static int watch_kernel(const struct options *o, const char *library, struct mh_kernel **ret,
                        char why[MH_KERNEL_WHY])
{
    int r;

    *ret = NULL;
    snprintf(why, MH_KERNEL_WHY, "%s", "turned off by --kernel off");
    if (o->watch == KERNEL_OFF)
        return MH_EXIT_OK;
    r = mh_kernel_open(library, ret, why);
    if (*why && (o->watch == KERNEL_ON || o->judge.verbose))
        mh_log("the kernel %s watched: %s", r < 0 ? "is not" : "is only partly", why);
    return r < 0 && o->watch == KERNEL_ON ? MH_EXIT_TROUBLE : MH_EXIT_OK;
}

static void save_manifest(const struct options *o, const struct mh_plan *plan)
{
    const struct mh_manifest m = {.command = o->command,
                                  .config = plan->config,
                                  .with = o->with,
                                  .ready = o->ready,
                                  .for_ns = o->for_ns,
                                  .grace_ns = o->grace_ns,
                                  .ready_ns = o->ready_ns,
                                  .seed = plan->seed,
                                  .no_calm = o->no_calm,
                                  .plan = o->plan,
                                  .fail_on = o->judge.fail_on,
                                  .compared = o->judge.earlier != NULL};
    int r = mh_manifest_save(&m, plan->dir);

    if (r < 0)
        mh_log_errno(r, "How the run was started is not stored, so it cannot be replayed");
}

static void switch_others_off(const struct options *o, const struct mh_plan *plan,
                              struct mh_control *control)
{
    int fault = o->only ? only_fault(o, plan) : -1;

    for (size_t w = 0; fault >= 0 && w < ARRAY_SIZE(control->fault_off); w++)
        control->fault_off[w] = ~((uint64_t)((size_t)fault / 64 == w) << fault % 64);
}

static int run(struct options *o, struct mh_plan *plan, struct mh_ready *where)
{
    const char *dirs[] = {plan->dir};
    struct mh_run_result result;
    struct mh_run todo = {
        .command = o->command,
        .environment = plan->environment,
        .with = o->with,
        .ready = o->ready,
        .where = where,
        .rules = plan->rules,
        .for_ns = o->for_ns,
        .grace_ns = o->grace_ns,
        .ready_ns = o->ready_ns,
        .quiet = o->quiet,
    };
    char no_kernel[MH_KERNEL_WHY];
    int r, status;

    r = mh_control_open(plan->dir, true, &todo.control);
    if (r < 0) {
        mh_log_errno(r, "Cannot make the control page in '%s'", plan->dir);
        return MH_EXIT_TROUBLE;
    }
    if (o->judge.baseline)
        mh_control_digest_as(todo.control, o->judge.baseline);
    if (plan->rules)
        mh_control_tell(todo.control, plan->rules,
                        strlen(plan->config) < MH_CONTROL_TEXT ? plan->config : "");
    switch_others_off(o, plan, todo.control);
    save_manifest(o, plan);
    if (o->with && !o->no_calm && plan->rules && plan->rules->nfaults && !mh_plan_has_calm(plan))
        todo.calm_ns = CALM_NS;
    status = watch_kernel(o, plan->library, &todo.kernel, no_kernel);
    if (status)
        return status;
    r = mh_run_supervise(&todo, &result);
    if (r < 0 && !result.started) {
        mh_kernel_free(todo.kernel);
        mh_log_errno(r, "Cannot run '%s'", o->command[0]);
        return MH_EXIT_TROUBLE;
    }
    o->load_status = result.load_status;
    mh_run_record(plan->dir, &todo, &result, no_kernel);
    mh_kernel_free(todo.kernel);
    status = mh_run_tell(&todo, &result);
    /* what kept it from starting is worth a verdict, too */
    if (!status || (!result.was_ready && !result.interrupted && !result.stopped)) {
        o->judge.silent = o->quiet;
        o->judge.store = true;
        r = mh_judge_run(&o->judge, dirs, 1);
        status = status ? status : r;
    }
    return mh_run_own_status(&result) ? mh_run_own_status(&result) : status;
}

static int once(struct options *o)
{
    struct mh_plan plan = {0};
    struct mh_ready *where = NULL;
    int status = prepare(o, &plan, &where);

    if (!status)
        status = run(o, &plan, where);
    mh_ready_free(where);
    mh_plan_done(&plan);
    return status;
}

/* Under --plan a load, or a command that ends of itself, is repeated to the end of the phases. */
static char repeat[] = "while :; do \"$0\" \"$@\"; sleep 0.1; done";

/* The scenario is there: the same command under it. */
static int run_composed(struct options *o, struct mh_composed *plan, char *scenario,
                        const char *clean, char *dir)
{
    char *command[MOST_ARGS] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", repeat};
    _cleanup_free_ char *with = NULL, *report = NULL;
    size_t n = 3;
    int status;

    if ((o->with &&
         asprintf(&with, "while :; do (\n%s\n) || exit; sleep 0.1; done", o->with) < 0) ||
        asprintf(&report, "%s/report.json", dir) < 0)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    if (plan->ends && !o->with) {
        for (char **arg = o->command; *arg && n < MOST_ARGS - 1; arg++)
            command[n++] = *arg;
        o->command = command;
    }
    o->with = with;
    o->scenarios.v[o->scenarios.n++] = scenario;
    o->dir = dir;
    o->for_ns = plan->for_ns;
    o->judge.baseline = clean;
    if (!o->quiet)
        printf("Plan %s: %s, %.0f s; the scenario is %s\n", o->plan,
               plan->ends && !o->with ? "the command again and again" : "the command once more",
               (double)plan->for_ns / 1e9, scenario);
    fflush(stdout);
    status = once(o);
    if (!o->quiet && access(report, R_OK) == 0)
        mh_compose_tell(plan, report);
    return status;
}

static int check_planned(const struct options *o)
{
    size_t n = 0;

    while (o->command[n])
        n++;
    if (o->scenarios.n || o->only)
        mh_log("--plan makes its own scenario: it goes without -c and --only");
    else if (o->judge.baseline)
        mh_log("--plan makes its own clean recordings: it takes no --baseline DIR");
    else if (o->for_ns && o->for_ns < LEAST_PLAN_NS)
        mh_log("--for: a plan needs 10 s at least");
    else if (n > MOST_ARGS - 4)
        mh_log("--plan: more than %d arguments", MOST_ARGS - 4);
    else if (!mh_plan_command_exists(o->command[0]))
        mh_log("there is no command '%s'", o->command[0]);
    else
        return mh_judge_check(&o->judge);
    return MH_EXIT_MISUSE;
}

static int planned(struct options *o)
{
    _cleanup_free_ char *clean = NULL, *scenario = NULL, *dir = NULL;
    struct options calm = *o;
    struct mh_plan top = {0};
    struct mh_composed composed = {0};
    int status = check_planned(o);

    if (!status)
        status = mh_plan_directory(&top, o->dir);
    if (!status &&
        (asprintf(&clean, "%s/clean", top.dir) < 0 ||
         asprintf(&scenario, "%s/plan.ini", top.dir) < 0 || asprintf(&dir, "%s/run", top.dir) < 0))
        status = MH_EXIT_TROUBLE;
    if (status)
        return mh_plan_done(&top), status;
    calm.dir = clean;
    calm.quiet = true;
    calm.judge = (struct mh_judge){0};
    calm.for_ns = o->for_ns ? MH_MIN(CLEAN_NS, o->for_ns / 5) : CLEAN_NS;
    if (!o->quiet)
        printf("Plan %s: a clean run first, %.0f s at most\n", o->plan, (double)calm.for_ns / 1e9);
    fflush(stdout);
    status = once(&calm);
    if (status) {
        mh_log("the clean run failed (status %d): no plan is made", status);
        return mh_plan_done(&top), status;
    }
    status = mh_compose(&(struct mh_compose){.clean = clean,
                                             .path = scenario,
                                             .name = o->plan,
                                             .full = !strcmp(o->plan, "full"),
                                             .for_ns = o->for_ns ? o->for_ns - calm.for_ns : 0},
                        &composed);
    if (!status && !composed.faulty) {
        mh_log("the clean run asked nobody and wrote nothing%s: there is nothing to plan",
               calm.load_status > 0 ? ", and its load failed" : "");
        status = MH_EXIT_UNJUDGED;
    } else if (!status) {
        status = run_composed(o, &composed, scenario, clean, dir);
    }
    free(composed.left_out);
    mh_plan_done(&top);
    return status;
}

int mh_cmd_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&mh_judge_argp, 0, "The verdict:", 1}, {0}};
    static const struct argp argp = {
        .options = option_rows,
        .parser = parse,
        .args_doc = "-- COMMAND [ARG...]",
        .doc = doc,
        .children = children,
    };
    struct options o = {0};

    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o))
        return MH_EXIT_MISUSE;
    return o.plan ? planned(&o) : once(&o);
}
