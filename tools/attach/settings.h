/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is told when mishap is attached to it: its recording's place, scenarios as it can
 * read them, and what the names in them stand for. */
#pragma once

#include <stdbool.h>

#include "attach/target.h"
#include "run/plan.h"

struct mh_settings_place {
    char *there; /* as the process sees it */
    char *here;  /* as we do */
};

/* Makes the directory of the recordings where the process can write to it: `name`, or a fresh one.
 * One that sees other files than we do gets it among those. Says what is wrong; returns an exit
 * status. To be released in either case. */
int mh_settings_directory(const struct mh_target *t, struct mh_plan *plan, const char *name,
                          struct mh_settings_place *ret);
void mh_settings_place_done(struct mh_settings_place *place);

/* The settings as control/attach.h has them. `seed` NULL: not given. Likewise; caller frees *ret.
 */
int mh_settings_make(const struct mh_target *t, const struct mh_plan *plan,
                     const struct mh_settings_place *place, const char *seed, bool any, char **ret);
