/* SPDX-License-Identifier: Apache-2.0 */
/* The time of day that a fault has set. */
#pragma once

#include <time.h>

#include "table/table.h"

/* The same moment by the kernel's clock, which no fault sets: for a wait until a time of day.
 * Returns `until` itself, or *storage. */
const struct timespec *mh_clock_real(enum mh_call call, const struct timespec *until,
                                     struct timespec *storage);

/* Child side of fork. */
void mh_clock_after_fork(void);
