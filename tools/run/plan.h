/* SPDX-License-Identifier: Apache-2.0 */
/* What `mishap run` decides before anything is started: scenarios, output directory, environment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/rule.h"

#define MH_PLAN_SEED_MAX ((UINT64_C(1) << 53) - 1) /* every JSON reader keeps it exactly */

struct mh_plan {
    char *config;           /* absolute paths, ':' between; NULL: nothing is injected */
    struct mh_rules *rules; /* of config; NULL with it */
    char *dir;              /* absolute output directory; exists */
    char *library;          /* absolute path of libmishap.so */
    int claim;              /* dir, locked while the run goes on; 0: not yet */
    uint64_t seed;
    char *environment[8]; /* changes for the command */
};

struct mh_ready;
struct argp_state;

/* Can execvp() find it? Asked first, so that a typing mistake leaves nothing behind. */
bool mh_plan_command_exists(const char *name);

/* Resolves --ready; nobody may listen there yet. Returns an exit status; caller frees. */
int mh_plan_ready(const char *ready, struct mh_ready **ret);

/* Scenarios as the user named them. */
struct mh_scenarios {
    char *v[MH_MAX_FILES]; /* borrowed from argv */
    size_t n;
};

/* One more -c; too many are a mistake that is told. */
void mh_scenarios_add(struct mh_scenarios *scenarios, char *name, struct argp_state *state);

/* Finds and validates the scenarios; every mistake is printed. Returns an exit status. */
int mh_plan_config(struct mh_plan *plan, char *const *names, size_t n);

/* Makes the output directory: `name`, or a fresh one below mishap-out, and claims it. It must not
 * hold a run. Returns an exit status. */
int mh_plan_directory(struct mh_plan *plan, const char *name);

/* Finds the library. Returns an exit status. */
int mh_plan_library(struct mh_plan *plan, char *const *command);

/* Can the library be in this command? Says what is against it. Returns an exit status. */
int mh_plan_program(const struct mh_plan *plan, char *const *command);

/* Fills `environment` when all else is known; `seed` NULL: the scenario's, or a random one. Returns
 * an exit status. */
int mh_plan_environment(struct mh_plan *plan, const uint64_t *seed);

/* Is there a phase without faults before the first one with faults? */
bool mh_plan_has_calm(const struct mh_plan *plan);

void mh_plan_done(struct mh_plan *plan);
