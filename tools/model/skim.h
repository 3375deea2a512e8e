/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings that are too large to be kept whole: what is left out of the model. Of a long time in
 * which all went well the beginning is kept, and of each place in the code its first calls; around
 * whatever fired, failed or was slow everything is. Only for load.c and read.c. */
#pragma once

#include "model/read.h"

struct mh_span_busy {
    int64_t from, to; /* wall */
};

/* What all recordings say of when something happened. All zero: everything is kept. */
struct mh_skim {
    MH_VEC(struct mh_span_busy) busy; /* sorted and apart, once settled */
    uint64_t edge;                    /* routine records kept of a time when all went well */
};

/* First look at a recording: adds when something happened in it. A file that cannot be read adds
 * nothing. Returns 0 or -ENOMEM. */
int mh_skim_learn(struct mh_skim *s, const char *path);
void mh_skim_settle(struct mh_skim *s);
void mh_skim_done(struct mh_skim *s);

/* One recording while it is read. */
struct mh_skimming {
    const struct mh_skim *s;
    size_t next;          /* in busy */
    bool was_busy;        /* at the last record */
    uint64_t kept;        /* routine records since then */
    int64_t from, to;     /* in which work was left out that may end later; 0 never */
    struct mh_map conns;  /* to 1: what was asked on it last was left out */
    struct mh_map stacks; /* to how many records of it are kept */
    uint64_t left_out;
    bool no_memory;
};

/* Is the record of `in` one to leave out? */
bool mh_skim_leaves_out(struct mh_skimming *f, const struct mh_intake *in);
void mh_skimming_done(struct mh_skimming *f);
