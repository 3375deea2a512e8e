/* SPDX-License-Identifier: Apache-2.0 */
/* What threads and asyncio tasks are called: one name record for each that is seen for the first
 * time. For this room only. */
#pragma once

#include "python/frame.h"

/* The task whose coroutine is `coroutine`, the outermost of this thread's stack; `caller` is the
 * Python frame that called its step. Plain loads of objects that are in use by this very thread; no
 * GIL. What cannot be read (a loop or a task that is not asyncio's own) has no name. */
void mh_name_task(const char *coroutine, const struct mh_frame *caller);

/* A greenlet, by its class and by its outermost function. No GIL. Of one that is made the name is
 * not known yet. */
void mh_name_greenlet(uint64_t task, const char *code);
void mh_name_greenlet_made(uint64_t task);

/* This thread, by the name that the system knows; no GIL. And by Python's own, under the GIL. */
void mh_name_thread(void);
void mh_name_thread_gil(void);

/* A new recording begins: every name is new. */
void mh_name_reset(void);
