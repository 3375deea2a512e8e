/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of reserving room and of asking for it share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"
#include "table/table.h"

int mh_fallocate(enum mh_call call, int fd, int mode, off_t at, off_t n,
                 int (*real)(int, int, off_t, off_t));
int mh_posix_fallocate(enum mh_call call, int fd, off_t at, off_t n,
                       int (*real)(int, off_t, off_t));

/* Faults on the question about a path, or (NULL) an open file. True: failed, and *ret is the
 * answer. */
bool mh_room_fault(enum mh_call call, int fd, const char *path, int *ret);

/* What a budget leaves at that place, in blocks; UINT64_MAX without one. */
uint64_t mh_room_left(int fd, const char *path, uint64_t block);

/* The whole of such a call; `real` is an expression that calls the real function. */
#define MH_ROOM_ASK(call_name, fd, path, ret, unit, real)                                          \
    do {                                                                                           \
        int r_;                                                                                    \
        if (mh_room_fault(MH_CALL_##call_name, fd, path, &r_))                                     \
            return r_;                                                                             \
        r_ = (real);                                                                               \
        if (r_ == 0) {                                                                             \
            uint64_t left_ = mh_room_left(fd, path, (uint64_t)(unit));                             \
            (ret)->f_bfree = MH_MIN((ret)->f_bfree, left_);                                        \
            (ret)->f_bavail = MH_MIN((ret)->f_bavail, left_);                                      \
        }                                                                                          \
        return r_;                                                                                 \
    } while (0)
