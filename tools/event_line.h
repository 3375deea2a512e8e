/* SPDX-License-Identifier: Apache-2.0 */
/* One record as one line, for people or as JSON. Names come from the tables of the record types. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "event/read.h"

struct mh_line {
    const struct mh_record *record;
    const struct mh_file_header *header;
    int64_t wall;  /* ns since 1970 */
    int64_t since; /* ns since the first event shown */
};

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
const char *mh_names_fault(const struct mh_names *names, int64_t fault);

/* The word for a step of an outcome; NULL when it is none. */
const char *mh_step_name(int64_t step);

void mh_names_done(struct mh_names *names);

/* Print without a newline. Return 0 or a negative errno. */
int mh_line_text(FILE *out, const struct mh_line *line, const struct mh_names *names);
int mh_line_json(FILE *out, const struct mh_line *line, const struct mh_names *names);
