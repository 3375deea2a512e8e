/* SPDX-License-Identifier: Apache-2.0 */
/* What the interpreter in this process knows: stacks, tasks and what became of an error. Nothing of
 * Python is linked: symbols come from dlsym, struct layouts from layouts.def. Everything here may
 * be called from any thread, with or without the GIL, also when there is no interpreter at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Where the program is now. All 0 when the thread is not in Python or the layout does not hold. */
struct mh_place {
    uint32_t stack; /* id of a stack record, which is written at its first use */
    uint64_t site;  /* stable across runs: hash of innermost application frame and its callers */
    uint64_t task;  /* identity of the coroutine at the bottom: one asyncio task; 0 none */
    int64_t unit;   /* the run of a queue's task that this is part of; 0 none, or not to be told */
};

/* Finds the interpreter, if there is one. Called by the constructor; cheap, no Python runs. Proves
 * the layout later, at the first capture. */
void mh_python_init(void);

/* Child side of fork: the caches hold, ids start anew in a new recording. */
void mh_python_after_fork(void);

/* PY_VERSION_HEX of the interpreter in this process, 0 when none. */
uint32_t mh_python_version(void);

/* This thread's stack, site and task; no GIL, no malloc, no Python code. <= 1 us at depth 30 when
 * the stack was seen before. */
void mh_python_place(struct mh_place *ret);

/* Has the program's own code begun, as far as this thread's stack tells? False while the
 * interpreter still starts up (site and what it imports); true for good once it was. True without
 * one. */
bool mh_python_begun(void);

/* Follows the exception that the error of operation `op` (id of an op record) gives birth to on
 * this thread, until it is handled, replaced or lost; each step is one outcome record. Called in a
 * hook just before the error is returned to the program; takes the GIL for a moment. `errno` is
 * kept. Never called from an allocator: Python may run. No-op when there is no interpreter, it is
 * finalising, or somebody else traces this thread.
 */
void mh_python_watch(int64_t op);

/* Is a pool of worker processes about to be given a pipe by this thread? */
bool mh_python_makes_jobs(void);

/* A job has come by such a pipe, and its result leaves (enum mh_task_state): one unit of work. */
void mh_python_job_begun(const char *framework, const char *name, const char *id);
void mh_python_job_ended(int state, const char *exception);
