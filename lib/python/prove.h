/* SPDX-License-Identifier: Apache-2.0 */
/* Proof that the layout is true, on the living stack of the calling thread. For this room only. */
#pragma once

#include <stdbool.h>

/* Is the layout known to hold? At its first call with a stack it is found out, by reads that cannot
 * fault; when it does not hold this is said once and every later answer is no. `ts` is the thread
 * state of the calling thread. */
bool mh_layout_proved(const char *ts);
