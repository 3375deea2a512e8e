/* SPDX-License-Identifier: Apache-2.0 */
/* The life of exception objects, fed by a mechanism (monitor.h, trace.h) with what happens in
 * frames. For this room only. All but mh_follow_begin(), _drop(), _pass() and _reset() need the
 * GIL. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "python/frame.h"

/* Something that happens in the innermost frame of a thread. */
struct mh_moment {
    const char *ts; /* thread state */
    struct mh_frame f;
    int offset; /* of the instruction, in bytes */
    int line;   /* of the instruction */
};

/* Fills *ret for the innermost frame of the calling thread. False when it has none. */
bool mh_follow_moment(struct mh_moment *ret);

/* Waits for the error of operation `op`, whose call stands in the innermost frame of this thread,
 * to be born as an exception; `err` is the errno it will carry, 0 unknown. False when the table is
 * full. */
bool mh_follow_begin(const char *ts, int64_t op, int err, enum mh_outcome_source source);

/* The same where a task waits for it, and not the code that runs now; `held_back`: what it waits
 * for does not come, and what is followed is its being cancelled. */
bool mh_follow_begin_task(const char *ts, int64_t op, uint64_t task, bool held_back,
                          enum mh_outcome_source source);

/* It is not awaited after all: nothing will be told of it. */
void mh_follow_drop(const char *ts, int64_t op);

/* An exception appears in a frame: raised in it, or come from a call. */
void mh_follow_raise(const struct mh_moment *m, const char *exc);

/* A handler of the frame is entered: except, finally or with. Only sys.monitoring tells. */
void mh_follow_caught(const struct mh_moment *m, const char *exc);

/* The exception leaves a handler of the frame. Only sys.monitoring tells. */
void mh_follow_reraise(const struct mh_moment *m, const char *exc);

/* An exception leaves the frame; `exc` is NULL when the mechanism does not tell which. */
void mh_follow_unwind(const struct mh_moment *m, const char *exc);

/* The frame goes on: a new line, a yield, or (`leaving`) a return. */
void mh_follow_step(const struct mh_moment *m, bool leaving);

/* Is there anything that this thread may still tell? Each time that it is only of objects kept by
 * somebody costs them some of what they may cost. */
bool mh_follow_busy(const char *ts);

/* How many exceptions are followed that are not merely kept by somebody. */
int mh_follow_live(void);

/* Code objects whose lines and returns must be told now: at most n; returns how many. */
unsigned mh_follow_codes(const char *ret[], unsigned n);

/* Is any exception followed at all? */
bool mh_follow_any(void);

/* A later hooked call of this thread: what was awaited and cannot come any more is `unseen`.
 * Returns how many are awaited still. */
int mh_follow_pass(const char *ts);

/* Forgets everything; no object is touched. */
void mh_follow_reset(void);
