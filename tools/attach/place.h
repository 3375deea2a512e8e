/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a thread stands where libc's functions may be called on its behalf: it must hold no lock
 * that they take. */
#pragma once

#include <stdbool.h>

#include "attach/maps.h"
#include "attach/registers.h"

/* Is a thread that is blocked in the kernel, as /proc/PID/task/TID/syscall tells, in a wait for
 * something outside? Needs no stop. */
bool mh_place_waits(pid_t pid, pid_t tid);

/* Is this stopped thread in such a wait, or in code that no lock of libc is held in? */
bool mh_place_safe(pid_t pid, int mem, const struct mh_maps *maps, const struct mh_registers *r);
