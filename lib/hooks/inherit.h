/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of programs that a process starts to which mishap was attached: its own says
 * nothing of mishap, so what is handed over does, and they are under it as those of `mishap run`.
 * Async-signal-safe, and fit for a vfork child: it writes to its own stack alone. */
#pragma once

#include <stdbool.h>

#include "hooks/arrive.h"

enum { MH_HEIR_MOST = 1000, MH_HEIR_OURS = 4, MH_HEIR_TEXT = 1024 };

/* Room for one environment; lives until the program is started. */
struct mh_heir {
    char *env[MH_HEIR_MOST + MH_HEIR_OURS + 1];
    char preload[MH_HEIR_TEXT];
};

/* From now on programs are told of the run. Without settings->library they are not. */
void mh_inherit_begin(const struct mh_settings *settings);

/* Is there something that they are to be told? */
bool mh_inherits(void);

/* What to hand over instead of `env`: `env` itself when there is nothing to tell, when it speaks of
 * a run already, or when it is too large. */
char *const *mh_inherit(struct mh_heir *heir, char *const env[]);
