/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution of the real functions; see real.h. dlsym() may itself call calloc(): memory.c serves
 * that from its bootstrap pool. */
#include "hooks/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/libc.h"
#include "hooks/libc.h"

#include "base/banned.h"

MH_OLD_DLSYM;

struct mh_real mh_real;

void mh_real_init(void)
{
    static atomic_int begun;
    int saved = errno;
    void *found;

    if (atomic_exchange(&begun, 1))
        return;
#define HOOK(op, ret, name, params)                                                                \
    found = dlsym(RTLD_NEXT, #name);                                                               \
    memcpy(&mh_real.name, &found, sizeof(found));
#include "table/hooks_here.def"
#undef HOOK
    mh_libc_fill();
    errno = saved;
}
