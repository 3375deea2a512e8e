/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files: a fault's path is held against the template, what is remembered is the name that
 * libc chose. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "hooks/gate.h"
#include "hooks/variadic.h"

#include "base/banned.h"

MH_PUBLIC int mkstemp(char *name)
{
    MH_MAKE(mkstemp, name, 0, MH_REAL(mkstemp)(name));
}

MH_PUBLIC int mkstemps(char *name, int suffix)
{
    MH_MAKE(mkstemps, name, 0, MH_REAL(mkstemps)(name, suffix));
}

MH_PUBLIC int mkostemp(char *name, int flags)
{
    MH_MAKE(mkostemp, name, flags, MH_REAL(mkostemp)(name, flags));
}

MH_PUBLIC int mkostemps(char *name, int suffix, int flags)
{
    MH_MAKE(mkostemps, name, flags, MH_REAL(mkostemps)(name, suffix, flags));
}
