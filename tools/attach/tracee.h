/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of another process, stopped by ptrace: one that is made to call functions there, and the
 * others, that can be made to stand still. What they were doing goes on afterwards as if nothing
 * had been: system calls begin anew, and no signal handler runs in between. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/maps.h"
#include "attach/registers.h"
#include "attach/waited.h"

struct mh_stopped {
    pid_t tid;
    struct mh_waited waited;
};

struct mh_tracee {
    pid_t pid, tid; /* tid 0: none is stopped */
    int mem;        /* /proc/PID/mem */
    struct mh_registers registers;
    struct mh_waited waited;
    uint64_t signals;          /* that the thread blocks */
    uintptr_t stack, room;     /* what calls run on, and its size; 0: the thread's own */
    struct mh_stopped *others; /* that stand still; owned */
    size_t nothers;
};

/* How long a thread is waited for that holds no lock of libc. */
enum { MH_TRACEE_PATIENCE_MS = 10000 };

/* Stops one thread of the process where functions of libc can be called: in the program's own code,
 * or waiting in the kernel for something from outside. Returns 0; -ETIMEDOUT none came to such a
 * place; -ESRCH it has ended; or what ptrace says. */
int mh_tracee_catch(struct mh_tracee *t, pid_t pid, int mem, const struct mh_maps *maps);

/* Has the stopped thread call a function. Other threads run, but for those that stand still.
 * Returns 0; -EFAULT the function crashed, which the thread does not notice; -ETIMEDOUT it does not
 * come back. */
int mh_tracee_call(struct mh_tracee *t, uintptr_t function, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t *ret);

/* Lets all other threads of the process stand still, and lets them go on. */
int mh_tracee_hold_others(struct mh_tracee *t);
void mh_tracee_free_others(struct mh_tracee *t);

/* Lets everything go on where it was. */
void mh_tracee_release(struct mh_tracee *t);

/* Memory of the process. Return 0 or a negative errno; a text is cut where it does not fit. */
int mh_tracee_write(struct mh_tracee *t, uintptr_t at, const void *data, size_t n);
int mh_tracee_text(struct mh_tracee *t, uintptr_t at, char *ret, size_t size);
