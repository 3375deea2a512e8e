/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of one question share: what is there under a name, or behind a descriptor? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/sys.h"
#include "hooks/gate.h"

/* Faults on a question about a path, or (path NULL or empty) about the file that `dir` stands for.
 * Within a hook; leaves it. True: it has failed, errno is set. */
bool mh_look_fails(enum mh_call call, int dir, const char *path);

/* A raw system call's result as libc gives it. */
long mh_look_result(long r);

MH_INLINE bool mh_look_fault(enum mh_call call, int dir, const char *path)
{
    return mh_gate_open(&mh_gate.look) && mh_guest_enter() && mh_look_fails(call, dir, path);
}

/* The whole of such a call: `args` are the real function's, what follows is the system call for
 * where there is none. Up to glibc 2.32 `stat` and its like were in each program itself; and an
 * allocator that reads a link when it is first asked may come before anything was looked up. */
#define MH_LOOK(call_name, dir, path, args, ...)                                                   \
    do {                                                                                           \
        if (mh_look_fault(MH_CALL_##call_name, dir, path))                                         \
            return -1;                                                                             \
        if (MH_LIKELY(mh_real.call_name != NULL))                                                  \
            return mh_real.call_name args;                                                         \
        return (__typeof__(mh_real.call_name args))mh_look_result(mh_sys(__VA_ARGS__));            \
    } while (0)
