/* SPDX-License-Identifier: Apache-2.0 */
/* How a run was started, kept beside its recordings as run.json, so that it can be repeated: the
 * command and its directory, load, seed, and the scenarios as they were. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mh_manifest {
    char *const *command; /* NULL-terminated */
    const char *config;   /* absolute paths with ':' between; NULL none */
    const char *with, *ready;
    int64_t for_ns, grace_ns, ready_ns; /* 0: not given */
    uint64_t seed;
    bool no_calm;
    const char *plan, *fail_on; /* as given; NULL none */
    bool compared;              /* with an earlier report */
};

/* The variable that says that a pipeline runs us, such as "GITLAB_CI"; NULL: none does. */
const char *mh_manifest_pipeline(void);

/* Writes DIR/run.json, and copies of the scenarios as DIR/scenario-N.ini. Negative errno on
 * failure: the run can go on, but cannot be repeated. */
int mh_manifest_save(const struct mh_manifest *m, const char *dir);

/* Only the copies: their names, relative to dir. NULL on failure. */
json_t *mh_manifest_scenarios(const char *config, const char *dir);

/* Reads DIR/run.json; the caller owns *ret. -ENOENT there is none, -EBADMSG it is none of ours. */
int mh_manifest_load(const char *dir, json_t **ret);
