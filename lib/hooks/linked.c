/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded objects, read in memory; see linked.h. */
#include "hooks/linked.h"

#include <string.h>
#include <sys/auxv.h>

#include "base/banned.h"

enum { HIDDEN = 0x8000 }; /* of a version: not the default one */

/* Addresses of tables are those in memory, but in objects that the kernel has brought. */
static const void *table_at(const struct mh_linked *o, const ElfW(Dyn) * d)
{
    uintptr_t at = d->d_un.d_ptr;

    return (const void *)(at < o->base ? at + o->base : at);
}

static void read_dynamic(const ElfW(Dyn) * d, struct mh_linked *o)
{
    for (; d->d_tag != DT_NULL; d++)
        switch (d->d_tag) {
        case DT_SYMTAB:
            o->symbols = table_at(o, d);
            break;
        case DT_STRTAB:
            o->strings = table_at(o, d);
            break;
        case DT_GNU_HASH:
            o->hash = table_at(o, d);
            break;
        case DT_VERSYM:
            o->versions = table_at(o, d);
            break;
        case DT_RELA:
            o->tables[0] = table_at(o, d);
            break;
        case DT_RELASZ:
            o->sizes[0] = d->d_un.d_val;
            break;
        case DT_JMPREL:
            o->tables[1] = table_at(o, d);
            break;
        case DT_PLTRELSZ:
            o->sizes[1] = d->d_un.d_val;
            break;
        default:
            break;
        }
}

void mh_linked_read(const struct dl_phdr_info *info, struct mh_linked *ret)
{
    uintptr_t page = getauxval(AT_PAGESZ);

    *ret = (struct mh_linked){
        .base = info->dlpi_addr, .segments = info->dlpi_phdr, .nsegments = info->dlpi_phnum};
    for (int i = 0; i < ret->nsegments; i++) {
        const ElfW(Phdr) *p = &ret->segments[i];
        uintptr_t at = ret->base + p->p_vaddr;

        if (p->p_type == PT_GNU_RELRO) {
            ret->relro_from = at & ~(page - 1);
            ret->relro_to = (at + p->p_memsz) & ~(page - 1);
        } else if (p->p_type == PT_DYNAMIC) {
            read_dynamic((const ElfW(Dyn) *)at, ret);
        }
    }
}

bool mh_linked_holds(const struct mh_linked *o, uintptr_t at, unsigned flags)
{
    for (int i = 0; i < o->nsegments; i++) {
        const ElfW(Phdr) *p = &o->segments[i];

        if (p->p_type == PT_LOAD && (p->p_flags & flags) == flags &&
            at - (o->base + p->p_vaddr) < p->p_memsz)
            return true;
    }
    return false;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t h = 5381;

    for (; *name; name++)
        h = h * 33 + (unsigned char)*name;
    return h;
}

/* Of some there are several, and a function of libc itself that says which: time() and
 * gettimeofday() may be those of the vDSO. */
static uintptr_t function_at(uintptr_t at, bool chooses)
{
    uintptr_t (*choose)(unsigned long hwcap) = (uintptr_t(*)(unsigned long))at;

    return chooses ? choose(getauxval(AT_HWCAP)) : at;
}

uintptr_t mh_linked_function(const struct mh_linked *o, const char *name)
{
    const uint32_t *buckets, *chains;
    uint32_t h = gnu_hash(name), i;

    if (!o->hash || !o->symbols || !o->strings || !o->hash[0])
        return 0;
    buckets = o->hash + 4 + o->hash[2] * (sizeof(ElfW(Addr)) / 4);
    chains = buckets + o->hash[0];
    i = buckets[h % o->hash[0]];
    if (i < o->hash[1])
        return 0;
    for (;; i++) {
        const ElfW(Sym) *s = &o->symbols[i];
        uint32_t chain = chains[i - o->hash[1]];

        if ((chain | 1) == (h | 1) && s->st_shndx != SHN_UNDEF &&
            ((s->st_info & 15) == STT_FUNC || (s->st_info & 15) == STT_GNU_IFUNC) &&
            !(o->versions && o->versions[i] & HIDDEN) && !strcmp(o->strings + s->st_name, name))
            return function_at(o->base + s->st_value, (s->st_info & 15) == STT_GNU_IFUNC);
        if (chain & 1)
            return 0;
    }
}
