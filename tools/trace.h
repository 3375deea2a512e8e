/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap report --format trace`: recordings as a Chrome trace, for Perfetto and chrome://tracing.
 * Made of recordings, not of the graded document: a time axis has no verdicts. */
#pragma once

#include <stddef.h>

extern const char mh_trace_doc[]; /* one line, for `mishap list formats` */

/* Writes the recordings below dirs to path (NULL or "-": stdout), event by event; memory does not
 * grow with them. Returns an exit status. */
int mh_trace(const char *const *dirs, size_t n, const char *path);
