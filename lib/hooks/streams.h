/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of opening a stream share: each names itself and its real function. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "hooks/gate.h"

FILE *mh_fopen(enum mh_call call, const char *path, const char *mode,
               FILE *(*real)(const char *restrict, const char *restrict));
FILE *mh_freopen(enum mh_call call, const char *path, const char *mode, FILE *f,
                 FILE *(*real)(const char *restrict, const char *restrict, FILE *restrict));

/* Faults on reading a directory, within a hook, which it leaves. True: it has failed, errno is set.
 */
bool mh_list_fails(enum mh_call call, DIR *dir);

MH_INLINE bool mh_list_fault(enum mh_call call, DIR *dir)
{
    return mh_gate_open(&mh_gate.look) && mh_gate_fd(dirfd(dir)) && mh_list_fails(call, dir);
}

/* The spellings that tell by their result. */
#define MH_LIST_R(call_name, dir, entry, ret)                                                      \
    do {                                                                                           \
        int saved_ = errno, err_;                                                                  \
        if (!mh_list_fault(MH_CALL_##call_name, dir))                                              \
            return MH_REAL(call_name)(dir, entry, ret);                                            \
        err_ = errno;                                                                              \
        errno = saved_;                                                                            \
        *(ret) = NULL;                                                                             \
        return err_;                                                                               \
    } while (0)
