/* SPDX-License-Identifier: Apache-2.0 */
/* What a pool of worker processes says to its children over pipes, as billiard (Celery's pool)
 * does it: pickled tuples with the job on the way in and its result on the way out. Only the task's
 * name, its id and how it ended are taken, never an argument or a result. Pure. */
#pragma once

#include <stddef.h>

#include "event/event.h"

enum { MH_JOB_NAME = 128, MH_JOB_ID = 64, MH_JOB_EXCEPTION = 64 };

enum mh_job_word {
    MH_JOB_none, /* something else, or cut before it could be told */
    MH_JOB_begun,
    MH_JOB_ended,
};

struct mh_job {
    enum mh_job_word word;
    char name[MH_JOB_NAME], id[MH_JOB_ID]; /* begun */
    enum mh_task_state state;              /* ended */
    char exception[MH_JOB_EXCEPTION];      /* its class, or empty */
};

/* One message, with or without the length before it. */
void mh_job_scan(const void *bytes, size_t n, struct mh_job *ret);
