/* SPDX-License-Identifier: Apache-2.0 */
/* From an error to its exception: which of those that are awaited has been born. For follow.c. */
#pragma once

#include "python/track.h"

/* Whose error is this new exception? One raised where the call stands, or a few instructions
 * further on, as code that reads SO_ERROR does, is that of the last call there. One raised by a
 * callback, while C code still stands in the call, is that of the first with its errno. One that a
 * task is gone on with is that of what it stood still for. NULL: of none; those that cannot come
 * any more are let go. */
struct mh_track *mh_birth_awaited(const struct mh_moment *m, const char *exc);
