/* SPDX-License-Identifier: Apache-2.0 */
/* How errors are followed from 3.12 on: callbacks of sys.monitoring, made in C. For this room only.
 */
#pragma once

#include <stdbool.h>

/* Are the callbacks in place? Needs no GIL. */
bool mh_monitor_armed(void);

/* Puts them in place, under the GIL. Returns 0, -EBUSY when every tool id is taken, or another
 * negative errno when sys.monitoring does not answer as expected. */
int mh_monitor_arm(void);
