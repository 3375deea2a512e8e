/* SPDX-License-Identifier: Apache-2.0 */
/* What opening a file means for the table: shared by the exports of files.c and variadic.c. */
#pragma once

#include <sys/types.h>

#include "fd/table.h"

/* Before open(): verdict on the path. Returns 0 to go on, or 1 when the call has failed: then
 * mh_finish() was done and -1 is the answer. dir is AT_FDCWD or a directory's descriptor. */
int mh_open_before(enum mh_call call, int dir, const char *path, int flags);

/* After it: remembers what the new descriptor is; records a real failure (errno). Returns fd. */
int mh_open_after(enum mh_call call, int dir, const char *path, int flags, int fd);
