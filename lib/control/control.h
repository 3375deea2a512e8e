/* SPDX-License-Identifier: Apache-2.0 */
/* The page that all processes of a run share: its clock, its switches and its run-wide counters. It
 * is `control` in the output directory, mapped by every process and by the tool. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rule/rule.h"

enum {
    MH_CONTROL_VERSION = 4,
    MH_CONTROL_CHANGED = 32, /* how many faults may have changed values */
    MH_CONTROL_TEXT = 4096,
    MH_CONTROL_MEMBERS = 512, /* processes of which the end is watched */
};
enum { MH_MEMBER_LIVES, MH_MEMBER_FINE, MH_MEMBER_FAILED }; /* what it says of its end */
#define MH_CONTROL_MAGIC "MHCTL\r\n"

struct mh_control {
    char magic[8];
    uint32_t version;
    uint32_t off;                /* not 0: every hook passes through */
    int64_t origin_at;           /* monotonic ns of the run's origin; 0 = not begun */
    uint32_t hold;               /* 1: `mishap run --ready` sets the origin, processes must not */
    uint32_t processes;          /* how many have joined: gives each its ordinal */
    uint64_t fault_off[2];       /* bit per fault: switched off live */
    uint64_t digest_key;         /* of this run's keyed digests */
    uint64_t seed;               /* in force; 0 until the first process has chosen one */
    uint64_t fired[128];         /* how often each fault fired, for progress and watch */
    uint64_t units, units_5xx;   /* inbound requests ended, and those with a 5xx status */
    struct mh_counters counters; /* of faults with `per = run` */
    uint32_t calm;               /* 1: `mishap run` makes its calm start, nothing fires */

    /* What the run was started with, told by whoever came first: */
    uint32_t told; /* 1 while it is being written, then 2 */
    uint32_t nfaults;
    char names[MH_MAX_FAULTS][MH_NAME_SIZE];
    char config[MH_CONTROL_TEXT]; /* as MISHAP_CONFIG, absolute; "" none, or too long */

    /* The processes of the run, in the order in which they joined; after the last place nobody is
     * kept any more: */
    struct {
        int32_t pid;
        uint32_t ended;
    } members[MH_CONTROL_MEMBERS];

    /* Values that were changed since: */
    uint32_t generation; /* of them; odd while they are being written */
    uint32_t nchanged;
    char changes[MH_CONTROL_TEXT]; /* lines NAME.KEY=VALUE, as mh_rules_load_changed() takes them */
    struct mh_fault changed[MH_CONTROL_CHANGED]; /* the same compiled */
};

/* Maps the control file in `dir`; `make`: creates it at need. Returns 0 or a negative errno:
 * -EPROTONOSUPPORT it was made by another version of mishap, -EBADMSG it is none. */
int mh_control_open(const char *dir, bool make, struct mh_control **ret);

/* From now on, and before anything is recorded: digests are those of the run in `dir`, so that what
 * both saw can be compared. Without a control file there the run keeps its own key. */
void mh_control_digest_as(struct mh_control *c, const char *dir);

/* A number that tells keys apart and does not give the key away; never 0. */
int64_t mh_control_digests(const struct mh_control *c);

/* A process joins the run as number `ordinal`, from 1; and what it says when it ends by itself. */
void mh_control_join(struct mh_control *c, uint64_t ordinal, int pid);
void mh_control_leave(struct mh_control *c, uint64_t ordinal, int status);

/* Says what the run is started with; only the first one is heard. */
void mh_control_tell(struct mh_control *c, const struct mh_rules *rules, const char *config);

/* Switches a fault on or off, in all processes; -1: everything, where on is on for each fault, too.
 */
void mh_control_switch(struct mh_control *c, int fault, bool on);

/* Exchanges all changed values; called by one tool at a time. Returns 0, -E2BIG or -ENOSPC when the
 * text or the faults are too many. */
int mh_control_change(struct mh_control *c, const char *changes, const struct mh_fault *faults,
                      unsigned n);

/* Puts the changed faults into `rules`, which keep what concerns this process. Returns the
 * generation; or -EAGAIN when it is just being written: then `rules` may hold a mixture. */
int64_t mh_control_apply(const struct mh_control *c, struct mh_rules *rules);
