/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files: a fault's path is held against the template, what is remembered is the name that
 * libc chose. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "hooks/files.h"
#include "hooks/gate.h"

#include "base/banned.h"

#define MAKE(call_name, name, flags, real)                                                         \
    do {                                                                                           \
        int fd_;                                                                                   \
        if (!mh_gate_open(&mh_gate.file) || !mh_guest_enter())                                     \
            return (real);                                                                         \
        if (mh_open_before(MH_CALL_##call_name, AT_FDCWD, name, O_RDWR | O_CREAT | (flags)))       \
            return -1;                                                                             \
        errno = mh_thread.saved_errno;                                                             \
        fd_ = (real);                                                                              \
        return mh_open_after(MH_CALL_##call_name, AT_FDCWD, name, O_RDWR | O_CREAT | (flags),      \
                             fd_);                                                                 \
    } while (0)

MH_PUBLIC int mkstemp(char *name)
{
    MAKE(mkstemp, name, 0, MH_REAL(mkstemp)(name));
}

MH_PUBLIC int mkstemp64(char *name)
{
    MAKE(mkstemp64, name, 0, MH_REAL(mkstemp64)(name));
}

MH_PUBLIC int mkstemps(char *name, int suffix)
{
    MAKE(mkstemps, name, 0, MH_REAL(mkstemps)(name, suffix));
}

MH_PUBLIC int mkstemps64(char *name, int suffix)
{
    MAKE(mkstemps64, name, 0, MH_REAL(mkstemps64)(name, suffix));
}

MH_PUBLIC int mkostemp(char *name, int flags)
{
    MAKE(mkostemp, name, flags, MH_REAL(mkostemp)(name, flags));
}

MH_PUBLIC int mkostemp64(char *name, int flags)
{
    MAKE(mkostemp64, name, flags, MH_REAL(mkostemp64)(name, flags));
}

MH_PUBLIC int mkostemps(char *name, int suffix, int flags)
{
    MAKE(mkostemps, name, flags, MH_REAL(mkostemps)(name, suffix, flags));
}

MH_PUBLIC int mkostemps64(char *name, int suffix, int flags)
{
    MAKE(mkostemps64, name, flags, MH_REAL(mkostemps64)(name, suffix, flags));
}
