/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a run as a list of stages, driven by one loop over signals and a clock. The command
 * and the load are process groups of their own, so that a Ctrl-C reaches only us, once. */
#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "kernel/kernel.h"
#include "log.h"
#include "run/abort.h"
#include "run/progress.h"
#include "run/ready.h"
#include "run/spawn.h"
#include "run/tree.h"

#include "base/banned.h"

#define SECOND         INT64_C(1000000000)
#define READY_PATIENCE (30 * SECOND)
enum {
    TICK_MS = 50,
    LOAD_PATIENCE_S = 2, /* the load may end before the application is asked to */
    TERM_AFTER_S = 10,
    KILL_AFTER_S = 20,
    STRAY_PATIENCE_S = 1, /* workers may outlive their parent for a moment */
};

enum stage {
    STAGE_STARTING, /* until --ready answers */
    STAGE_CALM,     /* load without faults */
    STAGE_RUNNING,
    STAGE_UNLOADING, /* the load was asked to stop */
    STAGE_STOPPING,  /* the command was asked to stop */
    STAGE_STRAYS,    /* the command is gone, others may be left */
    STAGE_DONE,
};

struct supervisor {
    const struct mh_run *run;
    struct mh_run_result *result;
    struct mh_progress progress;
    struct mh_tree tree;
    struct mh_abort_watch *aborts;
    enum stage stage;
    int64_t since;   /* when the stage began */
    int64_t end_at;  /* 0: no end by time */
    pid_t app, load; /* 0 when not running */
    int last_signal; /* that the stage has sent */
    int signals;     /* signalfd */
    unsigned asked;  /* how often the user asked to stop */
    bool gave_terminal;
};

static void enter(struct supervisor *s, enum stage stage)
{
    s->stage = stage;
    s->since = mh_now();
    s->last_signal = 0;
}

/* Sends a signal once per stage: to a process, or to a group, which is negative; 0: to nobody. */
static void signal_once(struct supervisor *s, pid_t whom, int signal)
{
    if (s->last_signal == signal)
        return;
    s->last_signal = signal;
    if (whom)
        kill(whom, signal);
}

/* The same to the command, so that it ends; this is recorded. */
static void ask_to_end(struct supervisor *s, pid_t whom, int signal)
{
    struct mh_run_result *r = s->result;

    if (s->last_signal == signal)
        return;
    if (r->nasked < ARRAY_SIZE(r->asked)) {
        r->asked[r->nasked].signal = signal;
        r->asked[r->nasked++].at = mh_now();
    }
    signal_once(s, whom, signal);
}

static int64_t scenario_end(const struct mh_rules *rules)
{
    const struct mh_phase *last;

    if (!rules || !rules->nphases)
        return 0;
    last = &rules->phases[rules->nphases - 1];
    return last->for_ns ? last->start_ns + last->for_ns : 0;
}

/* The clock of phases and of --for begins: faults may fire from here on. */
static void begin_faults(struct supervisor *s)
{
    struct mh_control *c = s->run->control;
    int64_t now = mh_now(), length = s->run->for_ns;

    __atomic_store_n(&c->calm, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&c->origin_at, now, __ATOMIC_RELEASE);
    if (!length && !s->run->with)
        length = scenario_end(s->run->rules);
    s->end_at = length ? now + length : 0;
    enter(s, STAGE_RUNNING);
}

static void begin_load(struct supervisor *s)
{
    char *const shell[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char *)s->run->with, NULL};
    char *const none[] = {NULL};
    pid_t pid;

    s->result->was_ready = true;
    if (s->run->with) {
        pid = mh_spawn(shell, none);
        if (pid < 0) {
            mh_log_errno(pid, "Cannot start the load '%s'", s->run->with);
            s->result->load_status = 127;
        } else {
            s->load = pid;
        }
    }
    if (s->run->calm_ns && s->load)
        enter(s, STAGE_CALM);
    else
        begin_faults(s);
}

static void begin_stop(struct supervisor *s)
{
    if (s->stage >= STAGE_UNLOADING)
        return;
    if (s->app)
        mh_listeners_look(s->app, &s->result->listeners);
    enter(s, s->run->grace_ns && s->app ? STAGE_STOPPING : STAGE_UNLOADING);
}

static const char *stage_name(const struct supervisor *s, char *buffer, size_t size)
{
    const struct mh_rules *rules = s->run->rules;
    int phase;

    switch (s->stage) {
    case STAGE_STARTING:
        snprintf(buffer, size, "waiting for %s", s->run->ready);
        return buffer;
    case STAGE_CALM:
        return "calm";
    case STAGE_RUNNING:
        if (!rules || !rules->nphases)
            return "running";
        phase = mh_rules_phase(rules, mh_now() - s->run->control->origin_at);
        return phase < 0 ? "after the last phase" : rules->phases[phase].name;
    default:
        return "stopping";
    }
}

static void app_ended(struct supervisor *s, int status)
{
    struct mh_run_result *r = s->result;

    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    r->ended_at = mh_now();
    s->app = 0;
}

/* A command that reads from the terminal is stopped, since its group is in the background: it gets
 * the terminal, and from then on Ctrl-C itself (a debugger's prompt wants just that). */
static void app_halted(struct supervisor *s, int signal)
{
    if ((signal == SIGTTIN || signal == SIGTTOU) && tcgetpgrp(STDIN_FILENO) == getpgrp())
        s->gave_terminal = tcsetpgrp(STDIN_FILENO, s->app) == 0;
    if (signal == SIGTTIN || signal == SIGTTOU || signal == SIGTSTP)
        kill(-s->app, SIGCONT);
}

static void reap(struct supervisor *s)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            if (pid == s->app)
                app_halted(s, WSTOPSIG(status));
        } else if (pid == s->app) {
            app_ended(s, status);
        } else if (pid == s->load) {
            s->load = 0;
            if (s->stage < STAGE_UNLOADING)
                s->result->load_status =
                    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

static void read_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        s->asked += info.ssi_signo == SIGQUIT ? 2 : 1;
        s->result->interrupted = true;
        mh_progress_clear(&s->progress);
        if (s->asked == 1 && !s->run->quiet)
            mh_log("stopping; once more to stop at once");
        begin_stop(s);
    }
}

/* A worker may listen as a sign that it is there, and never accept: it is waited for in vain, but
 * not given up. */
static void end_patience(struct supervisor *s, int64_t patience)
{
    bool begins = mh_ready_is_sign(s->run->where);
    char why[MH_READY_WHY];

    mh_progress_clear(&s->progress);
    mh_ready_why(s->run->where, why);
    mh_log("%s %s within %g s%s", s->run->ready, why, (double)patience / SECOND,
           begins ? ": the run begins all the same" : "");
    if (begins)
        begin_load(s);
    else
        begin_stop(s);
}

static void step_starting(struct supervisor *s, int64_t now)
{
    int64_t patience = s->run->ready_ns ? s->run->ready_ns : READY_PATIENCE;

    if (!s->app) {
        enter(s, STAGE_STRAYS);
    } else if (mh_ready_look(s->run->where, TICK_MS)) {
        begin_load(s);
    } else if (now - s->since > patience) {
        end_patience(s, patience);
    }
}

/* Everything is lifted for good; the run goes on without faults to its end, so that what the
 * application does then is seen as well. */
static void abort_faults(struct supervisor *s, const struct mh_abort *why, int64_t now)
{
    MH_BUF(text, sizeof(s->result->aborted));

    mh_abort_say(why, &text);
    memcpy(s->result->aborted, text.data, text.len + 1);
    s->result->aborted_at = now;
    __atomic_store_n(&s->run->control->off, 1, __ATOMIC_RELAXED);
    mh_progress_clear(&s->progress);
    mh_log("%.1f s into the run '%s' held: all faults are lifted, the run goes on without",
           (double)(now - s->run->control->origin_at) / 1e9, text.data);
}

static void step_running(struct supervisor *s, int64_t now)
{
    const struct mh_abort *why = s->stage == STAGE_RUNNING && !s->result->aborted[0]
                                     ? mh_abort_watch_look(s->aborts, now)
                                     : NULL;

    if (why)
        abort_faults(s, why, now);

    if (!s->app || (s->run->with && !s->load) || (s->end_at && now >= s->end_at))
        begin_stop(s);
    else if (s->stage == STAGE_CALM && now - s->since >= s->run->calm_ns)
        begin_faults(s);
}

static void step_stopping(struct supervisor *s, int64_t now)
{
    int64_t waited = now - s->since, grace = s->run->grace_ns;

    if (!s->app) {
        enter(s, STAGE_STRAYS);
        if (s->load)
            kill(-s->load, SIGINT);
        return;
    }
    s->result->stopped = true;
    if (s->asked > 1 || waited >= (grace ? grace : KILL_AFTER_S * SECOND)) {
        s->result->killed = true;
        ask_to_end(s, -s->app, SIGKILL);
    } else if (grace) {
        ask_to_end(s, s->app, SIGTERM); /* nobody but the command's own process gets it there */
    } else if (waited >= TERM_AFTER_S * SECOND) {
        ask_to_end(s, -s->app, SIGTERM);
    } else {
        ask_to_end(s, -s->app, SIGINT);
    }
}

/* Whoever is left: first patience, then SIGTERM, then SIGKILL, until nobody is. */
static void step_strays(struct supervisor *s, int64_t now)
{
    int64_t waited = now - s->since;
    int signal = 0;

    if (s->asked > 1 || waited >= TERM_AFTER_S * SECOND)
        signal = SIGKILL;
    else if (waited >= STRAY_PATIENCE_S * SECOND)
        signal = SIGTERM;
    if (signal == SIGTERM && s->last_signal == SIGTERM)
        signal = 0;
    if (signal)
        s->last_signal = signal;
    if (mh_tree_signal(&s->tree, signal) <= 0)
        enter(s, STAGE_DONE);
}

static void step(struct supervisor *s)
{
    int64_t now = mh_now();

    switch (s->stage) {
    case STAGE_STARTING:
        step_starting(s, now);
        break;
    case STAGE_CALM:
    case STAGE_RUNNING:
        step_running(s, now);
        break;
    case STAGE_UNLOADING:
        signal_once(s, -s->load, SIGINT);
        if (!s->load || !s->app || s->asked > 1 || now - s->since >= LOAD_PATIENCE_S * SECOND)
            enter(s, STAGE_STOPPING);
        break;
    case STAGE_STOPPING:
        step_stopping(s, now);
        break;
    case STAGE_STRAYS:
        step_strays(s, now);
        break;
    case STAGE_DONE:
        break;
    }
}

/* Milliseconds until something may have to be done. */
static int patience(const struct supervisor *s)
{
    int64_t left =
        s->end_at && s->stage == STAGE_RUNNING ? (s->end_at - mh_now()) / 1000000 + 1 : TICK_MS;

    return (int)MH_MAX(0, MH_MIN(left, TICK_MS));
}

static int loop(struct supervisor *s)
{
    struct pollfd p = {.fd = s->signals, .events = POLLIN};
    char name[64];

    while (s->stage != STAGE_DONE) {
        mh_progress_draw(&s->progress, stage_name(s, name, sizeof(name)));
        if (poll(&p, 1, patience(s)) < 0 && errno != EINTR)
            return -errno;
        mh_kernel_poll(s->run->kernel);
        read_signals(s);
        reap(s);
        step(s);
    }
    mh_progress_clear(&s->progress);
    return 0;
}

static int start(struct supervisor *s)
{
    struct mh_control *c = s->run->control;
    pid_t pid;

    c->hold = 1; /* the clock is ours to start */
    if (s->run->calm_ns)
        c->calm = 1;
    mh_kernel_arm(s->run->kernel, true);
    pid = mh_spawn(s->run->command, s->run->environment);
    mh_kernel_arm(s->run->kernel, false);
    if (pid < 0)
        return pid;
    s->app = s->result->pid = pid;
    s->result->started = true;
    if (s->run->where)
        enter(s, STAGE_STARTING);
    else
        begin_load(s);
    return 0;
}

int mh_run_supervise(const struct mh_run *run, struct mh_run_result *ret)
{
    struct supervisor s = {.run = run, .result = ret, .signals = -1};
    sigset_t ours, before;
    int r;

    *ret = (struct mh_run_result){.status = -1, .load_status = -1};
    r = mh_tree_init(&s.tree);
    if (r < 0)
        return r;
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&ours);
    for (size_t i = 0; i < 5; i++)
        sigaddset(&ours, (const int[]){SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT}[i]);
    sigaddset(&ours, SIGTTOU); /* so that the terminal can be taken back from the background */
    sigprocmask(SIG_BLOCK, &ours, &before);
    sigdelset(&ours, SIGTTOU);
    s.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    r = s.signals < 0 ? -errno : 0;
    s.aborts = mh_abort_watch_new(run->rules, run->control);
    if (!r && !s.aborts)
        r = -ENOMEM;
    mh_progress_init(&s.progress, run->control, run->quiet);
    if (!r)
        r = start(&s);
    if (!r)
        r = loop(&s);
    if (s.gave_terminal)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    if (s.signals >= 0)
        close(s.signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    mh_tree_done(&s.tree);
    free(s.aborts);
    return r;
}
