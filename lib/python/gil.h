/* SPDX-License-Identifier: Apache-2.0 */
/* The GIL, taken inside of a hooked call without ever waiting for who may wait for us. For this
 * room only. */
#pragma once

#include <stdbool.h>

#include "python/python.h"

/* Finds where the interpreter's own code is. */
void mh_gil_init(void);

/* Takes the GIL for this thread, whose state is `ts`. False: it was not to be had without risk.
 * What is to be given to PyGILState_Release() is in *ret_state. */
bool mh_gil_take(const char *ts, const struct mh_caller *from, int *ret_state);
