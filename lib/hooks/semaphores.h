/* SPDX-License-Identifier: Apache-2.0 */
/* Long waits for semaphores, which is what Python's locks are made of where they are contended; the
 * interpreter's own lock is none of them. A wait is only watched, never changed. */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "table/table.h"

/* One wait; it may be cut short by a signal, so nothing is held while it lasts. */
struct mh_sem_wait {
    int64_t at; /* 0: not watched */
    int slot;   /* of those that are waited for; -1 none was free */
};

/* Takes one that is free, without a look at the clock. False: it has to be waited for, or nobody
 * watches. Keeps errno. */
bool mh_sem_take(sem_t *sem);

struct mh_sem_wait mh_sem_begin(const sem_t *sem);

/* It ended with this result of libc; recorded when it was long. Keeps errno. Returns r. */
int mh_sem_end(const struct mh_sem_wait *wait, enum mh_call call, const sem_t *sem, bool limited,
               int r);

/* In a forked child: its parent's other threads are not here. */
void mh_sem_after_fork(void);
