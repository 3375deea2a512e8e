/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of `mishap doctor` on the place rather than on a fault: what the kernel side has here, and
 * whether something could go past libc. They never change the exit status. */
#pragma once

#include "listing.h"
#include "run/rings.h"

/* Looks for what could set up a ring: in the program, and in directories, one a line. */
void mh_doctor_rings(const char *program, const char *roots, struct mh_rings *ret);

/* One row each: what it is about, how it is here, why. */
void mh_doctor_place(struct mh_listing *l, const struct mh_rings *rings);
