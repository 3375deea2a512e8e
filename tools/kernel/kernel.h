/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of a run and libc does not: how its processes ended and who sent the
 * signal, OOM kills, TCP resets and retransmits by peer, system calls that failed. Optional: where
 * it cannot be had, mh_kernel_open() says why, and all else works without. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mh_kernel;

enum { MH_KERNEL_WHY = 256 };

/* Loads and attaches what this kernel takes. `library` is libmishap.so, whose probes say what it
 * recorded; NULL: they are not counted. Returns 0 with *ret and `why` empty, or with what is
 * missing in it; or a negative errno and the reason. Free with mh_kernel_free(). */
int mh_kernel_open(const char *library, struct mh_kernel **ret, char why[MH_KERNEL_WHY]);

/* While armed, the children of this process are followed, with all that they start. NULL: nothing.
 */
void mh_kernel_arm(struct mh_kernel *k, bool armed);

/* Takes in what has happened; often enough for a ring of 256 KiB to last. NULL: nothing. */
void mh_kernel_poll(struct mh_kernel *k);

/* Puts all that was seen into the recording that is open, and that it was (`why` empty) or was not
 * to be had. `k` may be NULL. */
void mh_kernel_record(struct mh_kernel *k, const char *why);

struct mh_kernel *mh_kernel_free(struct mh_kernel *k);
