/* SPDX-License-Identifier: Apache-2.0 */
/* A loaded object as the dynamic linker sees it. For this room only. */
#pragma once

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mh_linked {
    uintptr_t base;
    const ElfW(Phdr) * segments; /* borrowed while it is loaded, as all here */
    int nsegments;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *hash;     /* by name, as GNU has it; NULL none */
    const uint16_t *versions; /* of symbols; NULL none */
    const ElfW(Rela) *
        tables[2]; /* of what it has bound to other objects, and their sizes in bytes */
    size_t sizes[2];
    uintptr_t relro_from, relro_to; /* pages that are read-only once it is bound */
};

void mh_linked_read(const struct dl_phdr_info *info, struct mh_linked *ret);

/* Is this address in a segment of the object that has all these flags? */
bool mh_linked_holds(const struct mh_linked *o, uintptr_t at, unsigned flags);

/* Where it defines the function, in its default version; 0: it does not. */
uintptr_t mh_linked_function(const struct mh_linked *o, const char *name);
