/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap attach`: the options and the order of things; how it is done is in attach/. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "attach/load.h"
#include "attach/settings.h"
#include "base/macros.h"
#include "base/num.h"
#include "cmd.h"
#include "control/control.h"
#include "judge.h"
#include "log.h"
#include "run/plan.h"

#include "base/banned.h"

enum { KEY_SEED = 256, KEY_FOR, KEY_ANY };

struct options {
    struct mh_scenarios scenarios;
    const char *dir, *seed;
    int64_t for_ns; /* 0: until `mishap detach` */
    bool any;
    const char **pids; /* borrowed from argv */
    size_t npids;
    struct mh_judge judge;
};

static void parse_number(struct options *o, int key, char *arg, struct argp_state *state)
{
    uint64_t seed;

    if (key == KEY_SEED && (mh_num_uint(arg, &seed) < 0 || seed > MH_PLAN_SEED_MAX))
        argp_error(state, "--seed: '%s' is not a number from 0 to %" PRIu64, arg, MH_PLAN_SEED_MAX);
    if (key == KEY_FOR && (mh_num_time(arg, &o->for_ns) < 0 || o->for_ns <= 0))
        argp_error(state, "--for: '%s' is not a time such as 500ms, 60s or 2m", arg);
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
    case KEY_SEED:
        o->seed = arg;
        parse_number(o, key, arg, state);
        return 0;
    case KEY_FOR:
        parse_number(o, key, arg, state);
        return 0;
    case KEY_ANY:
        o->any = true;
        return 0;
    case ARGP_KEY_ARG:
        o->pids[o->npids++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which process? name its number");
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!o->for_ns && (o->judge.nreports || o->judge.nalerts || o->judge.fail_on))
            argp_error(state, "a report, an alert or a gate needs an end: --for");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Can this one be attached to, as far as can be seen from outside? */
static int look(const struct options *o, const char *pid, struct mh_target *t)
{
    int status = mh_target_look(pid, t);

    if (status)
        return status;
    if (t->recorded) {
        mh_log("process %s is under mishap already: `mishap set %s` changes its faults", pid, pid);
        return MH_EXIT_MISUSE;
    }
    if (!o->any && !mh_target_is_python(t)) {
        mh_log("process %s runs no Python; --any attaches all the same", pid);
        return MH_EXIT_MISUSE;
    }
    return MH_EXIT_OK;
}

static int attach(const struct options *o, const struct mh_plan *plan,
                  const struct mh_settings_place *place, struct mh_target *t)
{
    _cleanup_free_ char *settings = NULL;
    struct mh_load load = {.library = plan->library};
    int status = mh_settings_make(t, plan, place, o->seed, o->any, &settings);

    load.settings = settings;
    if (!status)
        status = mh_load_attach(t, &load);
    if (!status)
        printf("attached to process %d; its recording is in %s\n", (int)t->pid, place->here);
    return status;
}

static void detach(const char *pid)
{
    struct mh_target t;

    if (mh_target_look(pid, &t) == MH_EXIT_OK)
        mh_load_detach(&t);
    mh_target_done(&t);
}

/* Until the time is over, somebody wants us to end, or the processes have. */
static void stay(const struct options *o)
{
    struct timespec left = {o->for_ns / 1000000000, o->for_ns % 1000000000};
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    while (left.tv_sec || left.tv_nsec) {
        struct timespec part = left.tv_sec ? (struct timespec){1, 0} : left;
        bool any = false;

        if (sigtimedwait(&ends, NULL, &part) >= 0)
            break;
        left.tv_sec -= part.tv_sec;
        left.tv_nsec -= part.tv_nsec;
        for (size_t i = 0; i < o->npids; i++)
            any |= !kill((pid_t)strtol(o->pids[i], NULL, 10), 0) || errno != ESRCH;
        if (!any)
            break;
    }
    sigprocmask(SIG_UNBLOCK, &ends, NULL);
}

static int judge(struct options *o, const char *dir)
{
    const char *dirs[] = {dir};

    o->judge.store = true;
    return mh_judge_run(&o->judge, dirs, 1);
}

/* What the processes have forked and started since is of the run still: it goes on without faults.
 */
static void switch_off(const char *dir)
{
    struct mh_control *c;

    if (mh_control_open(dir, false, &c) < 0)
        return;
    mh_control_switch(c, -1, false);
    munmap(c, sizeof(*c));
}

/* All that can be refused is refused before anything is touched. */
static int all(struct options *o, struct mh_plan *plan, struct mh_target *targets,
               struct mh_settings_place *place)
{
    size_t done = 0;
    int status = mh_plan_config(plan, o->scenarios.v, o->scenarios.n);

    if (!status)
        status = mh_judge_check(&o->judge);
    if (!status)
        status = mh_plan_library(plan, NULL);
    for (size_t i = 0; i < o->npids && !status; i++)
        status = look(o, o->pids[i], &targets[i]);
    if (!status)
        status = mh_settings_directory(&targets[0], plan, o->dir, place);
    for (; done < o->npids && !status; done += !status)
        status = attach(o, plan, place, &targets[done]);
    if (status) {
        while (done-- > 0)
            detach(o->pids[done]);
        return status;
    }
    if (!o->for_ns) {
        printf("Next: mishap watch %s; mishap detach %s; mishap report %s\n", place->here,
               o->pids[0], place->here);
        return MH_EXIT_OK;
    }
    fflush(stdout);
    stay(o);
    for (size_t i = 0; i < o->npids; i++)
        detach(o->pids[i]);
    switch_off(place->here);
    return judge(o, place->here);
}

int mh_cmd_attach(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"config", 'c', "FILE", 0, "Scenario: a file, or the name of a shipped one; may repeat", 0},
        {"out", 'o', "DIR", 0, "Where recordings go (default mishap-out/TIME-PID)", 0},
        {"seed", KEY_SEED, "N", 0, "Of all random draws (default: the scenario's, else random)", 0},
        {"for", KEY_FOR, "TIME", 0, "Detach after TIME (60s, 2m), or Ctrl-C, and report", 0},
        {"any", KEY_ANY, 0, 0, "Also a program without Python, or not named by `processes`", 0},
        {0},
    };
    static const struct argp_child children[] = {{&mh_judge_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "PID...",
        .doc =
            "Brings mishap into processes that run already, each with its own recording."
            "\v"
            "It returns at once, and the process stays under mishap until `mishap detach PID` or "
            "its end; with --for it waits, detaches, and reports. Faults without a phase begin "
            "now. Connections and files that are open already count; what began before is not "
            "judged. Processes that it forks and programs that it starts meanwhile are under "
            "mishap, too, as far as `processes` of the scenario names them, and stay so when it "
            "no longer is: `mishap set DIR off` reaches them all, as the end of --for does. "
            "Not among those are what system() and popen() of C start, and programs of a "
            "process that sees other files. Needs the right to trace the process: its own user "
            "where the system allows that, or root.\n\n"
            "Exit status: 0 fine; 2 misuse, or a process that cannot be attached to: nothing was "
            "changed; 3 it could have been, but something went wrong; with --for those of `mishap "
            "report`.\n\n"
            "Example: mishap attach $(pgrep -f uvicorn) -c slow-redis --for 30s --report r.html\n",
        .children = children,
    };
    _cleanup_free_ const char **pids = calloc((size_t)argc, sizeof(*pids));
    _cleanup_free_ struct mh_target *targets = calloc((size_t)argc, sizeof(*targets));
    struct options o = {.pids = pids};
    struct mh_settings_place place = {NULL, NULL};
    struct mh_plan plan = {0};
    int status;

    if (!pids || !targets)
        return mh_log_errno(-ENOMEM, "Cannot start"), MH_EXIT_TROUBLE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    for (size_t i = 0; i < o.npids; i++)
        targets[i].mem = -1;
    status = all(&o, &plan, targets, &place);
    for (size_t i = 0; i < o.npids; i++)
        mh_target_done(&targets[i]);
    mh_settings_place_done(&place);
    mh_plan_done(&plan);
    return status;
}
