/* SPDX-License-Identifier: Apache-2.0 */
/* `abort_if`: the conditions of a scenario, looked at while the run goes on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"

enum { MH_ABORT_SAMPLES = 4096 };

struct mh_abort_watch {
    const struct mh_rules *rules; /* NULL, or with naborts 0: nothing is watched */
    const struct mh_control *control;
    int64_t origin_at; /* 0: not begun */
    unsigned n;        /* samples taken, kept in a ring */
    struct mh_abort_sample {
        int64_t at;
        uint64_t exits, units, units_5xx;
    } samples[MH_ABORT_SAMPLES];
    uint64_t exits;
    struct {
        bool gone;
        uint64_t exe; /* hash of its program, 0: not looked at yet */
    } members[MH_CONTROL_MEMBERS];
};

/* Caller frees. NULL: no memory. */
struct mh_abort_watch *mh_abort_watch_new(const struct mh_rules *rules,
                                          const struct mh_control *control);

/* The condition that holds now, or NULL. To be called each tick while faults may fire. */
const struct mh_abort *mh_abort_watch_look(struct mh_abort_watch *w, int64_t now);
