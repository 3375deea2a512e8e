/* SPDX-License-Identifier: Apache-2.0 */
/* How the last runs of an application were graded: a small JSON file that is kept from run to run,
 * for a trend, and for the rules that ask when everything was tested last. Every function says what
 * is wrong. */
#pragma once

#include <jansson.h>

enum { MH_HISTORY_RUNS = 20 };

/* Can it be read, and will this run find its place in it? Returns an exit status. */
int mh_history_check(const char *path);

/* Its runs, oldest first; empty when there is no such file yet. Returns an exit status; with
 * MH_EXIT_OK the caller owns *ret. */
int mh_history_load(const char *path, json_t **ret);

/* Puts the graded run in, or in its own place again, and gives the document its "trend". The oldest
 * beyond MH_HISTORY_RUNS leave. Several may do so at once. What cannot be understood is left as it
 * is. Returns an exit status. */
int mh_history_add(const char *path, json_t *document);

/* When the run was made, if nearly all that can fail was made to: if it passed MH-0901. NULL: it
 * did not. Borrowed from the document. */
const char *mh_history_full_run(const json_t *document);
