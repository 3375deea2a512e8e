/* SPDX-License-Identifier: Apache-2.0 */
/* Finds recordings: the *.mhr files below the directories, or the files, that a user named; and
 * writes long files piece by piece. */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct mh_files {
    char **names; /* sorted; owned */
    size_t n;
};

/* Adds `path`: a file as it is, a directory's recordings without going deeper. Returns how many
 * were added, or a negative errno. */
int mh_files_add(struct mh_files *files, const char *path);

void mh_files_done(struct mh_files *files);

/* Writes by `write` to path (NULL or "-": stdout): under a temporary name first, so that nobody
 * reads half a file; what is no regular file, in place. Returns 0 or a negative errno. */
int mh_files_write(const char *path, int (*write)(FILE *out, void *context), void *context);
