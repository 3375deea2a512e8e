/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the command under the library and its load beside it, from start to the last process's end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"
#include "rule/rule.h"
#include "run/listeners.h"

struct mh_kernel;

/* All that is decided before anything is started; see cmd_run.c for where each comes from. */
struct mh_run {
    char **command;
    char **environment;           /* changes for the command, as mh_spawn() takes them */
    const char *with;             /* shell command of the load, NULL none */
    const char *ready;            /* HOST:PORT or a URL, NULL none */
    struct mh_ready *where;       /* the same, resolved; borrowed */
    const struct mh_rules *rules; /* phases; NULL when nothing is injected */
    struct mh_control *control;
    struct mh_kernel *kernel; /* follows the command; NULL: nothing does */
    int64_t for_ns;           /* ends so long after the origin; 0 no limit */
    int64_t calm_ns;          /* load without faults before the origin; 0 none */
    int64_t grace_ns; /* SIGTERM under load, SIGKILL so much later; 0: SIGINT, and patience */
    int64_t ready_ns; /* how long `ready` may take; 0: 30 s */
    bool quiet;
};

struct mh_run_result {
    bool started;     /* the command was executed */
    bool was_ready;   /* --ready answered (or was not asked for) */
    bool stopped;     /* mishap asked the command to stop ... */
    bool killed;      /* ... and had to use SIGKILL */
    bool interrupted; /* the user asked for it */
    int pid;
    int status, signal; /* how the command ended; status -1 after a signal */
    char aborted[160];  /* the condition of abort_if that held; "" none */
    int64_t aborted_at; /* monotonic */
    int load_status;    /* 128+N after a signal; -1 no load, or it was stopped */
    int64_t ended_at;   /* monotonic, of the command; 0 it did not */
    struct {
        int signal;
        int64_t at; /* monotonic */
    } asked[4];     /* signals that it was to end by */
    unsigned nasked;
    struct mh_listeners listeners; /* before the first of them */
};

/* Returns 0 with *ret filled, or a negative errno when the command could not be started. */
int mh_run_supervise(const struct mh_run *run, struct mh_run_result *ret);
