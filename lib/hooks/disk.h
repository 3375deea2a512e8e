/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of disk space: how much the files below a path may still grow in this process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fd/table.h"

/* Nothing has grown yet: a run begins. */
void mh_disk_init(void);

/* A file, or NULL: size now, -1 when it is no file or no budget concerns it. */
int64_t mh_disk_size(int fd, const char *path);

/* The same for a file that is about to lose its only name, or its contents. */
int64_t mh_disk_size_named(int dir, const char *name, const char *path);

/* Its size is now so much larger or smaller (negative). */
void mh_disk_changed(const char *path, int64_t by);

/* How many of n bytes may be written at `at` (-1: where the descriptor stands) into a file of this
 * size. Fewer: *ret is the budget's verdict. */
uint64_t mh_disk_room(const struct mh_desc *d, int fd, int64_t at, uint64_t n, int64_t size,
                      struct mh_verdict *ret);

/* What budgets leave for the files at or below this path. False: none concerns it. */
bool mh_disk_left(const char *path, uint64_t *ret);
