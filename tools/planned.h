/* SPDX-License-Identifier: Apache-2.0 */
/* What `mishap run --plan` leaves in its directory: the run, and the clean one before it. */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct mh_planned {
    char run[PATH_MAX], clean[PATH_MAX];
};

/* Is dir such a directory, and not the recordings of one run? */
bool mh_planned(const char *dir, struct mh_planned *ret);
