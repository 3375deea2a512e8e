/* SPDX-License-Identifier: Apache-2.0 */
/* What is loaded at an address: by dl_iterate_phdr(), not by dladdr(), whose lock the loader holds
 * while constructors run. For this room only. */
#pragma once

#include <link.h>
#include <stdint.h>

struct mh_object {
    uintptr_t base, start, end; /* load address, and the segment that holds the address; 0: none */
    const char *name;           /* path, borrowed while it is loaded; "?" */
    const ElfW(Dyn) * dynamic;
    const char *eh_frame; /* header of its frame information, NULL none */
};

struct mh_object mh_object_of(uintptr_t at);

/* The nearest name before the address that the object exports; "?" when it has none. */
const char *mh_object_symbol(const struct mh_object *o, uintptr_t at);
