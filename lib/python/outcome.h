/* SPDX-License-Identifier: Apache-2.0 */
/* What became of an error: follows exception objects from birth to their end and writes each step
 * as an outcome record (mh_python_watch() of python.h). For this room only. */
#pragma once

#include <stdbool.h>

/* Forgets everything that is followed: at start. */
void mh_outcome_reset(void);

/* Child side of fork. */
void mh_outcome_after_fork(void);

/* May the GIL be taken in this process, here and now? */
bool mh_outcome_may(void);

/* Another greenlet goes on, under the GIL: it may be given the error that ended one. */
void mh_outcome_switched(void);

/* A capture on this thread: an error that can no longer be born as an exception is `unseen`. */
void mh_outcome_pass(const char *ts);
