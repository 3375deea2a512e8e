/* SPDX-License-Identifier: Apache-2.0 */
/* Every place of an application where something can fail, as a clean run shows it: `mishap sweep`.
 * One target is one site (innermost application function and its callers), one kind of call and
 * one peer or path; it becomes a scenario of one fault. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mh_target {
    char site[160];    /* "caller > innermost function"; "" no application frame was there */
    char file[160];    /* of the innermost */
    char stack[128];   /* pattern of the language, "" anywhere */
    const char *call;  /* as the language has it */
    const char *fault; /* key and value of the effect */
    char where[128];   /* "peer = ..." or "path = ..." */
    uint64_t calls;    /* in the clean run */
};

struct mh_targets {
    struct mh_target *v; /* what is called most comes first */
    size_t n;
    char *left_out; /* lines "WHAT: WHY"; "" none */
};

/* Reads the clean recordings. Returns 0, or a negative errno: -ENOENT nothing was recorded. */
int mh_targets_find(const char *clean, struct mh_targets *ret);
void mh_targets_done(struct mh_targets *targets);

/* Writes the scenario of one target, whose fault is called `name`: the first `times` calls of the
 * run fail. Returns 0 or a negative errno. */
int mh_target_write(const struct mh_target *t, const char *name, unsigned times, const char *path);

/* What became of one target; "status" is -1 while its run has not ended. */
json_t *mh_target_result(const struct mh_target *t, const char *name, const char *dir, int status);

struct mh_report_options;
/* The whole sweep on stdout: a table, then what was left out. Returns 0 or a negative errno. */
int mh_sweep_tell(const json_t *sweep, const struct mh_report_options *options);
