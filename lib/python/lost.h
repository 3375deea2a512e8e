/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions that nobody will handle any more (mh_python_lost(), mh_python_ends() of python.h). For
 * this room only. */
#pragma once

#include "python/track.h"

/* It has left the outermost frame of its thread. Should that be the main thread, and the process
 * end for it, it is lost; a host in C may deal with it as well. */
void mh_lost_outermost(const struct mh_track *t, int line);

void mh_lost_reset(void);
