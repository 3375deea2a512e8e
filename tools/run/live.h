/* SPDX-License-Identifier: Apache-2.0 */
/* A run that goes on, as `mishap set` sees it: its shared page, found by directory or process, and
 * its scenario with changed values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "control/control.h"

struct mh_live {
    struct mh_control *control; /* NULL: not open */
    int lock;                   /* one tool at a time */
};

/* The output directory `name`, or that of the run of which it is a process; caller frees. Returns
 * an exit status. */
int mh_live_directory(const char *name, char **ret);

/* Opens the run whose output directory is `name`, or of which it is a process. Returns an exit
 * status. To be closed in either case. */
int mh_live_open(const char *name, struct mh_live *ret);
void mh_live_close(struct mh_live *live);

/* The run's changes with further words NAME.KEY=VALUE, of which later ones win, as lines; caller
 * frees. Returns an exit status. */
int mh_live_changes(const struct mh_control *c, char *const *words, size_t n, char **ret);

/* Does one of these lines change this fault? */
bool mh_live_is_changed(const char *changes, const char *fault);

/* The run's scenario with these changes; every mistake is printed. Caller frees. Returns an exit
 * status. */
int mh_live_rules_load(const struct mh_control *c, const char *changes, struct mh_rules **ret);
