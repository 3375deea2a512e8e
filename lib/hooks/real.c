/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution of the real functions; see real.h. dlsym() may itself call calloc(): memory.c serves
 * that from its bootstrap pool. */
#include "hooks/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/libc.h"
#include "base/sys.h"
#include "hooks/libc.h"
#include "hooks/linked.h"

#include "base/banned.h"

MH_OLD_DLSYM;

struct mh_real mh_real;

/* Of the linker: where this library begins. */
extern const char __ehdr_start[] MH_OWN;

/* Objects come in the order in which they were loaded: libc before us, when we came late. */
static int which_first(struct dl_phdr_info *info, size_t size, void *libc)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        if ((uintptr_t)__ehdr_start - at < info->dlpi_phdr[i].p_memsz)
            return 1;
        if ((uintptr_t)libc - at < info->dlpi_phdr[i].p_memsz)
            return 2;
    }
    return 0;
}

bool mh_real_late(void)
{
    static _Atomic int known;

    if (!known)
        known = MH_LIBC_GLIBC && dl_iterate_phdr(which_first, (void *)(uintptr_t)getauxval) == 2
                    ? 2
                    : 1;
    return known == 2;
}

/* A name that is looked for behind the program and us. */
struct sought {
    const char *name;
    uintptr_t at;
};

static int sought_in(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct sought *s = arg;
    struct mh_linked o;

    (void)size;
    mh_linked_read(info, &o);
    if (!mh_linked_holds(&o, (uintptr_t)__ehdr_start, 0))
        s->at = mh_linked_function(&o, s->name);
    return s->at != 0;
}

/* For a program at a fixed address dlsym() gives the place where the program itself goes to libc
 * from, which would lead it back to us: what defines the function is looked for. */
void *mh_real_find(const char *name)
{
    struct sought s = {.name = name};

    if (!mh_real_late())
        return dlsym(RTLD_NEXT, name);
    dl_iterate_phdr(sought_in, &s);
    return (void *)s.at;
}

void mh_real_init(void)
{
    static atomic_int begun;
    int saved = errno;
    void *found;

    if (atomic_exchange(&begun, 1))
        return;
#define HOOK(op, ret, name, params)                                                                \
    found = mh_real_find(#name);                                                                   \
    memcpy(&mh_real.name, &found, sizeof(found));
#include "table/hooks_here.def"
#undef HOOK
    mh_libc_fill();
    if (mh_real.clock_gettime)
        mh_clock_read = mh_real.clock_gettime;
    errno = saved;
}

void mh_real_fetch(const char *name, void *slot, size_t size)
{
    void *found = mh_real_find(name);

    memcpy(slot, &found, size);
}
