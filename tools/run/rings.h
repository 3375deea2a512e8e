/* SPDX-License-Identifier: Apache-2.0 */
/* Who could set up an io_uring: what goes through one is done in the kernel's own time, and no hook
 * sees it. Programs and shared objects are looked at, not run. */
#pragma once

#include <stdbool.h>

/* How a file would ask for a ring, from what can be seen to what cannot. */
enum mh_ring {
    MH_RING_none,
    MH_RING_libc,   /* by syscall() of libc: on record, and refused on request */
    MH_RING_itself, /* by an instruction of its own, or by liburing, which has that */
};

struct mh_rings {
    enum mh_ring how;  /* the worst that was found */
    char *first;       /* a file that does so; NULL none */
    unsigned others;   /* and so many more */
    unsigned looked;   /* files that were looked at */
    bool cut;          /* there are more than are looked at */
    bool kernel_never; /* nobody gets one here, says the kernel */
};

/* `path`: a file, or a directory with shared objects anywhere below. Adds to *ret, which starts as
 * zeros. Returns 0, or a negative errno. */
int mh_rings_look(const char *path, struct mh_rings *ret);

/* Asks the kernel. */
void mh_rings_ask_kernel(struct mh_rings *ret);

void mh_rings_done(struct mh_rings *r);
