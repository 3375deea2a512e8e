/* SPDX-License-Identifier: Apache-2.0 */
/* What faults made of the world around the application: clocks that were set. Part of model.h,
 * which includes it. */
#pragma once

#include <stdint.h>

/* The time of day, as a process reads it, was set by a fault, or is right again. */
struct mh_clock_seen {
    uint32_t process;
    int64_t at, read_at; /* since when; when the process first read it so */
    int64_t ahead;       /* from then on: later than it is, negative: earlier */
    int64_t step;        /* how far it was moved by that */
};
