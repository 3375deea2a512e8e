/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of cutting a file share: each names itself and its real function. */
#pragma once

#include <sys/types.h>

#include "table/table.h"

int mh_ftruncate(enum mh_call call, int fd, off_t length, int (*real)(int, off_t));
int mh_truncate(enum mh_call call, const char *path, off_t length,
                int (*real)(const char *, off_t));
