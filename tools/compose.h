/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario that an application needs to be judged, composed from a clean recording of it:
 * `mishap run --plan`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mh_compose {
    const char *clean; /* directory of the clean recordings */
    const char *path;  /* the scenario that is written */
    const char *name;  /* of the plan */
    bool full;         /* every shape, else the first ones */
    int64_t for_ns;    /* all phases together; 0: what they need */
};

struct mh_composed {
    int64_t for_ns;   /* how long all phases take */
    unsigned nphases; /* calm ones included */
    unsigned faulty;  /* those with a fault */
    bool ends;        /* the command ended of itself, and well */
    char *left_out;   /* lines "WHAT: WHY"; owned by the caller */
};

/* Returns an exit status; what went wrong is said. */
int mh_compose(const struct mh_compose *how, struct mh_composed *ret);

/* Can the language say who this peer is? */
bool mh_compose_peer_named(const char *name);

/* Numbers in recorded paths are masked, as "{n}": a pattern has "*" there. In place. */
void mh_compose_unmask(char *path);

/* After the run: what was not exercised, of the stored report and of `left_out`. */
void mh_compose_tell(const struct mh_composed *c, const char *report);
