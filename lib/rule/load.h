/* SPDX-License-Identifier: Apache-2.0 */
/* Reads scenarios (INI, by inih) into a rule set. Called by the library's constructor and by the
 * tool; it allocates nothing but the caller's storage and reads files with raw system calls. */
#pragma once

#include "rule/rule.h"

/* One mistake of a scenario. `line` 0 = the file as a whole. text is "MESSAGE" without the place.
 */
struct mh_mistake {
    char file[MH_PATH_SIZE];
    int line;
    char text[400];
};

struct mh_mistakes {
    unsigned n; /* how many were found, also past the array's end */
    struct mh_mistake at[64];
};

/* Loads the files named in `paths` (':' between) into *ret, which the caller gives zeroed or not.
 * Returns 0; or -EINVAL when there is at least one mistake, all of which are in *mistakes in the
 * order of file and line, and *ret holds no faults. */
int mh_rules_load(const char *paths, struct mh_rules *ret, struct mh_mistakes *mistakes);

/* The same with changes: lines "NAME.KEY=VALUE" that stand in the place of what the files say, or
 * are added to the section. Mistakes in them have the line of the key, or of the section. */
int mh_rules_load_changed(const char *paths, const char *changes, struct mh_rules *ret,
                          struct mh_mistakes *mistakes);

/* One line of changes, borrowed; the key is behind the last '.' before the first '='. Returns where
 * the next one begins; NULL at the end, or when this is none. */
struct mh_change {
    const char *name, *key, *value;
    size_t name_len, key_len, value_len;
};
const char *mh_change_next(const char *changes, struct mh_change *ret);

/* One English sentence that says what the fault does, where and when, for `mishap check` and the
 * report: "recv on redis:6379 is delayed by 200 ms ± 50 ms, 25 % of the time". */
struct mh_buf;
void mh_fault_sentence(const struct mh_fault *fault, struct mh_buf *ret);

/* Is it bound to inbound requests by their route? That is seen in plain HTTP/1.x alone. */
bool mh_fault_by_route(const struct mh_fault *fault);
