/* SPDX-License-Identifier: Apache-2.0 */
/* The live line of `mishap run` on a terminal's stderr, made from the run's shared page. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"

struct mh_progress {
    const struct mh_control *control;
    int64_t began; /* monotonic ns */
    int64_t shown; /* when the line was last drawn, 0 never */
    bool on;       /* stderr is a terminal, and the user did not want quiet */
};

void mh_progress_init(struct mh_progress *p, const struct mh_control *control, bool quiet);

/* Draws the line anew, at most five times a second; `what` is the phase or what is being waited
 * for. */
void mh_progress_draw(struct mh_progress *p, const char *what);

/* Takes the line away, so that something else can be printed. */
void mh_progress_clear(struct mh_progress *p);
