/* SPDX-License-Identifier: Apache-2.0 */
/* What the interpreter in this process knows: stacks, tasks and what became of an error. Nothing of
 * Python is linked: symbols come from dlsym, struct layouts from layouts.def. Everything here may
 * be called from any thread, with or without the GIL, also when there is no interpreter at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stddef.h>
#include <stdint.h>

enum { MH_PLACE_WORDS = 2 }; /* of a set of faults */

/* Where the program is now. All 0 when the thread is not in Python or the layout does not hold. */
struct mh_place {
    uint32_t stack; /* id of a stack record, which is written at its first use */
    uint64_t site;  /* stable across runs: hash of innermost application frame and its callers */
    uint64_t task;  /* identity of the coroutine at the bottom: one asyncio task; 0 none */
    int64_t unit;   /* the run of a queue's task that this is part of; 0 none, or not to be told */
    uint64_t kind;  /* of the task: identity of its coroutine's code */
    uint64_t stack_faults[MH_PLACE_WORDS],
        caller_faults[MH_PLACE_WORDS]; /* those that ask for it */
};

/* What others want of places, set before the first is taken; NULL nothing. */
struct mh_place_asks {
    /* Once for each stack, with the text of its record without the last lines: which faults ask for
     * it. No faults ask for what is no stack. */
    void (*stack)(const char *text, size_t len, uint64_t ret[MH_PLACE_WORDS]);
    /* At each place, when the rest is known. */
    void (*here)(struct mh_place *place);
};
extern struct mh_place_asks mh_place_asks;

/* Finds the interpreter, if there is one. Called by the constructor; cheap, no Python runs. Proves
 * the layout later, at the first capture. */
void mh_python_init(void);

/* Child side of fork: the caches hold, ids start anew in a new recording. */
void mh_python_after_fork(void);

/* The same in a process that has begun another recording. */
void mh_python_anew(void);

/* PY_VERSION_HEX of the interpreter in this process, 0 when none. */
uint32_t mh_python_version(void);

/* Is it one whose stacks are known, as far as can be told before the first? */
bool mh_python_known(void);

/* This thread's stack, site and task; no GIL, no malloc, no Python code. <= 1 us at depth 30 when
 * the stack was seen before. */
void mh_python_place(struct mh_place *ret);

/* Has the program's own code begun, as far as this thread's stack tells? False while the
 * interpreter still starts up (site and what it imports); true for good once it was. True without
 * one. */
bool mh_python_begun(void);

/* Whose code made the hooked call: where it returns to, and how to learn the path of the object
 * that this is in (NULL: it cannot be learned). */
struct mh_caller {
    const void *address;
    bool (*object)(const void *address, char *ret, size_t size);
};

/* Follows the exception that the error of operation `op` (id of an op record) gives birth to on
 * this thread, until it is handled, replaced or lost; each step is one outcome record. Called in a
 * hook just before the error is returned to the program; takes the GIL for a moment, if that can
 * be done without risk (gil.h). `errno` is
 * kept. Never called from an allocator: Python may run. No-op when there is no interpreter, it is
 * finalising, or somebody else traces this thread. `task`: who waits for it, when an event loop
 * made the call on behalf of that task; 0: who called.
 */
void mh_python_watch(int64_t op, uint64_t task, const struct mh_caller *from);

/* A fault holds back what a task of this thread's event loop waits for; it came (or never will).
 * Should the task be cancelled for it, that is followed as the outcome of `op`. */
void mh_python_held(int64_t op, uint64_t task);
void mh_python_came(int64_t op);

/* The loop has waited for its descriptors, outside of all locks; idle: in vain, so that timers are
 * due. Takes the GIL as mh_python_watch() does when something is held back. */
void mh_python_looped(bool idle, const struct mh_caller *from);

/* Should the program begin to hand over work, from one task to another or to a thread: who began
 * what is seen from here on. `again`: modules may have come since it was asked last. Takes the GIL
 * as mh_python_watch() does, until all is in place; no locks held. */
void mh_python_may_hand_over(bool again, const struct mh_caller *from);

/* This thread has made another, pthread_t of which is that. */
void mh_python_thread_made(uintptr_t thread);

/* This thread has read bytes: of a request, which is that unit, or others (0). What a protocol of
 * its event loop begins with them is begun by that request. */
void mh_python_arrived(int64_t unit);

/* This thread writes to a log: should asyncio report there that an exception was lost, that is its
 * last step. Takes the GIL as mh_python_watch() does; no locks held. */
void mh_python_lost(const struct mh_caller *from);

/* The process ends by itself: with an exception that left it, perhaps. */
void mh_python_ends(int status);

/* The name of the task that such a unit runs; "" when it is no more known. Borrowed for the moment.
 */
const char *mh_python_unit_name(int64_t unit);

/* From now on, also in children: nothing is followed, and the GIL never taken; or it is. */
void mh_python_leave_alone(bool alone);

/* Is a pool of worker processes about to be given a pipe by this thread? */
bool mh_python_makes_jobs(void);

/* A job has come by such a pipe, and its result leaves (enum mh_task_state): one unit of work. */
void mh_python_job_begun(const char *framework, const char *name, const char *id);
void mh_python_job_ended(int state, const char *exception);
