/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap detach`: lets go of processes that `mishap attach` came into. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach/load.h"
#include "base/macros.h"
#include "cmd.h"
#include "log.h"

#include "base/banned.h"

struct options {
    char **pids; /* borrowed from argv */
    size_t npids;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_ARGS:
        o->pids = state->argv + state->next;
        o->npids = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which process? name its number");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int detach(const char *pid)
{
    struct mh_target t;
    int status = mh_target_look(pid, &t);

    if (!status && !t.library) {
        mh_log("process %s is not under mishap", pid);
        status = MH_EXIT_MISUSE;
    }
    if (!status)
        status = mh_load_detach(&t);
    if (!status)
        printf("detached from process %s; its recording is complete\n", pid);
    mh_target_done(&t);
    return status;
}

int mh_cmd_detach(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "PID...",
        .doc =
            "Lets go of processes that mishap was attached to."
            "\v"
            "Faults are off, what they held back is let go, every call goes to libc as before, and "
            "the recording is complete. The library stays in memory, idle: a thread may be waiting "
            "inside of it, or the program may have kept the address of a function of it. Attaching "
            "again works. A process that was started under mishap keeps it: see `mishap set`.\n\n"
            "Exit status: 0 done; 2 misuse, or not attached; 3 something went wrong.\n\n"
            "Example: mishap detach 4711\n",
    };
    struct options o = {NULL, 0};
    int status = MH_EXIT_OK;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    for (size_t i = 0; i < o.npids; i++) {
        int one = detach(o.pids[i]);

        status = status ? status : one;
    }
    return status;
}
