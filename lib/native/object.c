/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded objects and the names that they export; see object.h. */
#include "native/object.h"

#include <string.h>

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

struct asked {
    uintptr_t at;
    struct mh_object ret;
};

static int on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct asked *a = arg;
    struct mh_object o = {.base = info->dlpi_addr, .name = info->dlpi_name};

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;

        if (p->p_type == PT_GNU_EH_FRAME)
            o.eh_frame = (const char *)at;
        if (p->p_type == PT_DYNAMIC)
            o.dynamic = (const ElfW(Dyn) *)at;
        if (p->p_type == PT_LOAD && a->at >= at && a->at < at + p->p_memsz) {
            o.start = at;
            o.end = at + p->p_memsz;
        }
    }
    if (!o.end)
        return 0;
    if (!o.name || !*o.name)
        o.name = "/proc/self/exe"; /* the program itself has no name here */
    a->ret = o;
    return 1;
}

struct mh_object mh_object_of(uintptr_t at)
{
    struct asked a = {at, {.name = "?"}};

    dl_iterate_phdr(on_object, &a);
    return a.ret;
}

/* How many symbols there are, as the hash table tells that dlsym() uses. */
static uint32_t count(const uint32_t *gnu_hash)
{
    uint32_t buckets = gnu_hash[0], first = gnu_hash[1], most = 0;
    const uint32_t *bucket = gnu_hash + 4 + gnu_hash[2] * (sizeof(ElfW(Addr)) / 4);
    const uint32_t *chain = bucket + buckets;

    for (uint32_t i = 0; i < buckets; i++)
        most = MH_MAX(most, bucket[i]);
    if (most < first)
        return 0;
    while (!(chain[most - first] & 1))
        most++;
    return most + 1;
}

const char *mh_object_symbol(const struct mh_object *o, uintptr_t at)
{
    const ElfW(Sym) *symbols = NULL, *best = NULL;
    const char *strings = NULL;
    const uint32_t *hash = NULL;

    for (const ElfW(Dyn) *d = o->dynamic; d && d->d_tag != DT_NULL; d++) {
        if (d->d_un.d_ptr < o->base) /* not relocated: the vDSO */
            continue;
        if (d->d_tag == DT_SYMTAB)
            symbols = (const ElfW(Sym) *)d->d_un.d_ptr;
        if (d->d_tag == DT_STRTAB)
            strings = (const char *)d->d_un.d_ptr;
        if (d->d_tag == DT_GNU_HASH)
            hash = (const uint32_t *)d->d_un.d_ptr;
    }
    if (!symbols || !strings || !hash)
        return "?";
    for (uint32_t i = hash[1], n = count(hash); i < n; i++) {
        const ElfW(Sym) *s = &symbols[i];

        if ((s->st_info & 15) == STT_FUNC && o->base + s->st_value <= at &&
            at < o->base + s->st_value + s->st_size && (!best || s->st_value > best->st_value))
            best = s;
    }
    return best ? strings + best->st_name : "?";
}
