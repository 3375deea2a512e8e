/* SPDX-License-Identifier: Apache-2.0 */
/* One record as one line, for people or as JSON. Names come from the tables of the record types. */
#pragma once

#include <stdint.h>

#include "event/read.h"
#include "event_names.h"
#include "put.h"

struct mh_line {
    const struct mh_record *record;
    const struct mh_file_header *header;
    int64_t wall;  /* ns since 1970 */
    int64_t since; /* ns since the first event shown */
};

/* The word for a step of an outcome; NULL when it is none. */
const char *mh_step_name(int64_t step);

/* Add one line, without a newline. Return 0 or a negative errno. */
int mh_line_text(struct mh_put *out, const struct mh_line *line, const struct mh_names *names);
int mh_line_json(struct mh_put *out, const struct mh_line *line, const struct mh_names *names);
