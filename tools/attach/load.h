/* SPDX-License-Identifier: Apache-2.0 */
/* The library in a process that runs: brought there and told to begin; told to leave. */
#pragma once

#include "attach/target.h"

struct mh_load {
    const char *library;  /* libmishap.so here */
    const char *settings; /* as control/attach.h says */
};

/* Brings the library in, unless it is there, and has it begin. What goes wrong is said. Returns an
 * exit status. */
int mh_load_attach(struct mh_target *t, const struct mh_load *load);

/* Has it leave. Likewise. */
int mh_load_detach(struct mh_target *t);
