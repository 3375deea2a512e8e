/* SPDX-License-Identifier: Apache-2.0 */
/* _dl_find_object(): libgcc asks it where the frame information of an address is. glibc has it from
 * 2.35 on only, and this library runs beside older ones. Hidden: for the unwinder that is linked
 * in, and for nobody else. */
#include <stdint.h>

#include "native/object.h"

#include "base/banned.h"

/* As glibc's <dlfcn.h> has it; its own name is not taken, for newer headers declare it. */
struct found {
    unsigned long long flags;
    void *start, *end, *link_map;
    const void *eh_frame;
    unsigned long long reserved[7];
};

int mh_native_find(void *at, struct found *ret) __asm__("_dl_find_object");
__attribute__((visibility("hidden"), used)) int mh_native_find(void *at, struct found *ret)
{
    struct mh_object o = mh_object_of((uintptr_t)at);

    if (!o.end || !o.eh_frame)
        return -1;
    *ret = (struct found){.start = (void *)o.start, .end = (void *)o.end, .eh_frame = o.eh_frame};
    return 0;
}

#define INSTEAD(symbol, name, params, result)                                                      \
    int name params __asm__(symbol);                                                               \
    __attribute__((visibility("hidden"), used)) int name params                                    \
    {                                                                                              \
        return result;                                                                             \
    }
INSTEAD("pthread_once", mh_native_once, (void *once, void (*run)(void)), -1)
INSTEAD("pthread_mutex_lock", mh_native_lock, (void *lock), 0)
INSTEAD("pthread_mutex_unlock", mh_native_unlock, (void *lock), 0)
INSTEAD("__pthread_key_create", mh_native_key, (void *key, void (*end)(void *)), -1)
