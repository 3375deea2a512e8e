/* SPDX-License-Identifier: Apache-2.0 */
/* What an arrival needs, by the dynamic linker or by `mishap attach`: scenario, run, recording. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* What was asked for; NULL or "" where nothing was. Borrowed during mh_arrive(). */
struct mh_settings {
    const char *config, *out, *seed;
    const char *library; /* ours, for programs that are started; attached only */
    bool attached;       /* to a process that runs already */
    bool any;            /* whatever `processes =` says */
};

/* Reads the scenario, joins the run, finds the interpreter. Returns 0; 1 when this process does not
 * take part; or a negative errno, and why is said. */
int mh_arrive(const struct mh_settings *settings);

/* Opens this process's recording and writes its head. Returns 0 or a negative errno. */
enum mh_begun { MH_BEGUN_started, MH_BEGUN_forked, MH_BEGUN_attached };
int mh_recording_begin(enum mh_begun how);

/* The descriptors that are log sinks by their number. */
void mh_standard_streams(void);

/* One line about ourselves: to stderr, or where mh_arrive_said points. */
extern struct mh_buf *mh_arrive_said;
void mh_arrive_say(const char *a, const char *b, const char *c);

/* All gates but that of memory to this word; that one only with `memory`. */
void mh_gates_set(uint32_t word, bool memory);
bool mh_gates_want_memory(void);

/* Has the fork and the exit of this process seen to, once and for all. */
void mh_stay(void);
