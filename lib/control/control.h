/* SPDX-License-Identifier: Apache-2.0 */
/* The page that all processes of a run share: its clock, its switches and its run-wide counters. It
 * is `control` in the output directory, mapped by every process and by the tool. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rule/count.h"

enum { MH_CONTROL_VERSION = 1 };
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
};

/* Opens (creates at need) the control file in `dir` and maps it. Returns NULL on failure. */
struct mh_control *mh_control_open(const char *dir);
