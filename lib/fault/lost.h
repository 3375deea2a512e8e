/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that get lost, as on a drive that drops them: the count, the position and the size of the
 * file are as they would be, the bytes are not. For the hooks that write to files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mh_lost {
    int fd;
    int64_t at; /* where it would write; -1: where the descriptor stands, or at the end */
    size_t n;
    bool appends;
};

/* Makes room for the n bytes, and takes their place when `at` was -1: from then on `at` says where
 * that is. False: they cannot get lost here, and nothing has changed. */
bool mh_lost_begin(struct mh_lost *l);

/* The rest of it. Returns what the write has to return: a count, or a negative errno. */
ssize_t mh_lost_end(const struct mh_lost *l);
