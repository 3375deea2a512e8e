/* SPDX-License-Identifier: Apache-2.0 */
/* A process that runs: whether the library can come into it, and what is found there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/maps.h"

struct mh_target {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    int mem;           /* /proc/PID/mem */
    uintptr_t libc;    /* where it begins */
    uintptr_t dlopen;  /* that function, or one that does the same */
    int dlopen_flags;  /* what it wants besides */
    uintptr_t library; /* where libmishap.so is; 0 it is not there */
    bool filtered;     /* by seccomp */
    bool
        filtered_as_we; /* by as many filters as this command: in the same container, most likely */
    bool recorded;      /* it has a run's page: it is under mishap now */
    struct mh_maps maps;
};

/* Looks at the process `word` names. What speaks against it is said in one line: that there is no
 * such process, no right, no libc that can load anything, another libc, machine or word size, that
 * it is a setuid program, stopped, or traced. Returns an exit status; to be released in either
 * case. */
int mh_target_look(const char *word, struct mh_target *ret);
void mh_target_done(struct mh_target *t);

/* Is there an interpreter in it? */
bool mh_target_is_python(const struct mh_target *t);

/* Says why ptrace refuses, with what can be done about it. */
void mh_target_refused(const struct mh_target *t, int r);

/* Does the process see the same file under this path? */
bool mh_target_sees(const struct mh_target *t, const char *path);

/* What the process sees under an absolute path, as a path of ours. Caller frees; NULL: no memory.
 */
char *mh_target_path(const struct mh_target *t, const char *path);

/* Reads the mappings anew. Returns 0 or a negative errno. */
int mh_target_again(struct mh_target *t);
