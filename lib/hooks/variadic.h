/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of open() and of fcntl() share, and one question about open()'s arguments,
 * which a test asks, too. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>

#include "fd/guest.h"
#include "hooks/files.h"
#include "table/table.h"

/* Does open() with these flags take a third argument? O_TMPFILE is several bits, one of which is
 * O_DIRECTORY: only all of them together mean it. */
bool mh_open_takes_mode(int flags);

/* What every spelling does; `real` is an expression that calls the real function. */
#define MH_OPEN(call_name, dir, path, flags, real)                                                 \
    do {                                                                                           \
        int fd_;                                                                                   \
        if (!mh_gate_open(&mh_gate.file) || !mh_guest_enter())                                     \
            return (real);                                                                         \
        if (mh_open_before(MH_CALL_##call_name, dir, path, flags))                                 \
            return -1;                                                                             \
        errno = mh_thread.saved_errno;                                                             \
        fd_ = (real);                                                                              \
        return mh_open_after(MH_CALL_##call_name, dir, path, flags, fd_);                          \
    } while (0)

#define MH_OPEN_MODE(flags)                                                                        \
    mode_t mode = 0;                                                                               \
    if (mh_open_takes_mode(flags)) {                                                               \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

/* Of a temporary file. */
#define MH_MAKE(call_name, name, flags, real)                                                      \
    MH_OPEN(call_name, AT_FDCWD, name, O_RDWR | O_CREAT | (flags), real)

/* The third argument is an int or a pointer; as a long it passes unchanged on every ABI we build
 * for. */
#define MH_THIRD(last)                                                                             \
    long arg;                                                                                      \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, last);                                                                      \
        arg = va_arg(list, long);                                                                  \
        va_end(list);                                                                              \
    }

int mh_fcntl(enum mh_call call, int fd, int cmd, long arg, int (*real)(int, int, ...));
