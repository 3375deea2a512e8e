/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to exception objects and to the interpreter about them; all under the GIL, and none
 * leaves an error set. For this room only. */
#pragma once

#include <stdbool.h>

#include "python/follow.h"

enum { MH_TYPE_MAX = 160, MH_WHERE_MAX = 480 };

/* "ConnectionResetError", "redis.exceptions.ConnectionError"; `ret` holds MH_TYPE_MAX bytes. */
void mh_exc_type(const char *exc, char *ret);

/* Was this one raised from the other, or while the other was being handled? Never a StopIteration:
 * that is how coroutines and generators return. */
bool mh_exc_descends(const char *exc, const char *from);

/* An OSError (which gaierror and all socket errors are) or a MemoryError? */
bool mh_exc_is_os(const char *exc);

/* Is it how an iterator says that it has no more? Never an error. */
bool mh_exc_is_stop(const char *exc);

/* Does it say that somebody lost patience, and not what happened: was cancelled, or timed out? */
bool mh_exc_is_patience(const char *exc);

/* Does it carry this errno? When that is not known (0): one of a network's failures. */
bool mh_exc_errno_fits(const char *exc, int err);

/* Was it created just now: has it passed no other frame than this one? A trace function sees it
 * before this frame is entered in its traceback. */
bool mh_exc_is_new(const char *exc, bool traced);

/* Is it the exception that this thread is handling now? */
bool mh_exc_handled_is(const char *exc);

/* The instruction at the moment's offset, as it was compiled. */
unsigned mh_exc_opcode(const struct mh_moment *m);

/* Does the frame, said to return, only yield? */
bool mh_exc_is_yield(const struct mh_moment *m);

/* Does the moment's line test for an exception type, as an except clause does? *raises tells
 * whether it holds a raise statement. */
bool mh_exc_clause(const struct mh_moment *m, bool *raises);

/* Is a coroutine among the frames from this one outwards? */
bool mh_exc_in_coroutine(const char *frame);

/* Is this the handler with which Python's own threads end: in the frame that the thread's outermost
 * frame called, both of one file of the standard library, not in the main thread? */
bool mh_exc_thread_bottom(const struct mh_moment *m);
