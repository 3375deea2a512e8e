/* SPDX-License-Identifier: Apache-2.0 */
/* Changing bytes that have arrived, before the program sees them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fd/table.h"

/* Bytes of a stream: where they are, and which part of it their operation began with. */
struct mh_stretch {
    uint64_t at; /* offset of the first byte */
    size_t n;
    uint64_t op_at, op_n;
};

/* How many bits or bytes of this stretch the verdict wants changed. */
unsigned mh_corrupt_count(const struct mh_desc *d, const struct mh_verdict *v,
                          const struct mh_stretch *s);

/* Changes them. What is changed depends on the seed, the connection or file, and the offset, not on
 * how the program cuts its reads: looking ahead shows the same. */
void mh_corrupt(const struct mh_desc *d, const struct mh_verdict *v, const struct mh_stretch *s,
                const struct iovec *iov, size_t niov);
