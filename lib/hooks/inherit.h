/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that programs are started with. Where mishap was attached the process's own says
 * nothing of it, so what is handed over does, as that of `mishap run`. A program whose linker
 * cannot load the library is not told to. Async-signal-safe, and fit for a vfork child: it writes
 * to its own stack alone. */
#pragma once

#include "hooks/arrive.h"

enum { MH_HEIR_MOST = 1000, MH_HEIR_OURS = 4, MH_HEIR_TEXT = 1024 };

/* Room for one environment; lives until the program is started. */
struct mh_heir {
    char *env[MH_HEIR_MOST + MH_HEIR_OURS + 1];
    char preload[MH_HEIR_TEXT];
};

/* From now on programs are told of the run. Without settings->library they are not. */
void mh_inherit_begin(const struct mh_settings *settings);

/* What to hand over to a program instead of `env`: `env` itself when there is nothing to change, or
 * when it is too large. The program is `path` below `dir`; "": `dir` itself; NULL: it is still
 * searched for. */
char *const *mh_inherit(struct mh_heir *heir, int dir, const char *path, char *const env[]);
