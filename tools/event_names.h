/* SPDX-License-Identifier: Apache-2.0 */
/* What the ids in one recording stand for, learnt as its records go by. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event/read.h"

/* What the ids of one recording stand for: texts of its peers, paths and faults. */
struct mh_names {
    struct mh_name_list {
        char **text; /* by id */
        size_t n;
    } peers, paths, faults;
};

/* Remembers the record when it gives a name. Returns 0 or a negative errno. */
int mh_names_learn(struct mh_names *names, const struct mh_record *record);
/* The name behind an id, NULL when it is not known. Borrowed until the next is learnt. `fault` is
 * as fields have it: index plus 1. */
const char *mh_names_peer(const struct mh_names *names, int64_t peer);
const char *mh_names_path(const struct mh_names *names, int64_t path);
const char *mh_names_fault(const struct mh_names *names, int64_t fault);

void mh_names_done(struct mh_names *names);
