/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of opening a stream share: each names itself and its real function. */
#pragma once

#include <stdio.h>

#include "table/table.h"

FILE *mh_fopen(enum mh_call call, const char *path, const char *mode,
               FILE *(*real)(const char *restrict, const char *restrict));
FILE *mh_freopen(enum mh_call call, const char *path, const char *mode, FILE *f,
                 FILE *(*real)(const char *restrict, const char *restrict, FILE *restrict));
