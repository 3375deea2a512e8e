/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that a run has started, also those whose parents are gone: mishap is their
 * subreaper. Children that we had before the run (a shell may exec us) are not touched. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct mh_tree {
    pid_t *before; /* children that are not of the run; owned */
    size_t nbefore;
};

/* Remembers the children there are, and becomes the subreaper. Returns 0 or a negative errno. */
int mh_tree_init(struct mh_tree *tree);
void mh_tree_done(struct mh_tree *tree);

/* Parent of a process, 0 when it is gone or already dead and waiting to be reaped. */
pid_t mh_tree_parent(pid_t pid);

/* Sends the signal to every child of the run that is still there (0: only counts them). Returns how
 * many there are. */
int mh_tree_signal(const struct mh_tree *tree, int signal);
