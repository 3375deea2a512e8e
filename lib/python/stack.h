/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks: capture, identity, site and task of the calling thread (mh_python_place() of python.h),
 * and the table of those that were written already. For this room only. */
#pragma once

#include <stdint.h>

/* This thread's state, when its frames may be read now: not finalising, layout proved. Else NULL.
 */
const char *mh_stack_thread(void);

/* The task of this thread: identity of the outermost coroutine on its stack, or of
 * the greenlet that it runs; 0 none. */
uint64_t mh_stack_task(const char *ts);

/* Forgets every stack: a new recording begins. */
void mh_stack_reset(void);
