/* SPDX-License-Identifier: Apache-2.0 */
/* What faults made of the world around the application: names that moved, clocks that were set.
 * Part of model.h, which includes it. */
#pragma once

#include <stdint.h>

/* An attempt at a name that a fault had given other addresses. */
struct mh_moved_seen {
    uint32_t act, name; /* index of the attempt; text */
    int64_t ago;        /* ns; 0: it went to one of the others */
};

/* The time of day, as a process reads it, was set by a fault, or is right again. */
struct mh_clock_seen {
    uint32_t process;
    int64_t at, read_at; /* since when; when the process first read it so */
    int64_t ahead;       /* from then on: later than it is, negative: earlier */
    int64_t step;        /* how far it was moved by that */
};
