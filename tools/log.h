/* SPDX-License-Identifier: Apache-2.0 */
/* The command's voice: one line on stderr for each thing that went wrong, said where it is decided;
 * and what the terminal can do. For tools/ only; the library never prints. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/macros.h"

/* "mishap: TEXT" on stderr. */
void mh_log(const char *format, ...) MH_PRINTF(1, 2);

/* "mishap: TEXT: what the errno means"; r is a negative errno, and is returned. */
int mh_log_errno(int r, const char *format, ...) MH_PRINTF(2, 3);

/* May this stream be coloured: a terminal, no NO_COLOR, not TERM=dumb. */
bool mh_log_colour(FILE *stream);

/* Columns of this stream's terminal; 80 when it is none. */
int mh_log_width(FILE *stream);
