/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an allocation is refused: shared by the hooks of malloc and of mmap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "table/table.h"

/* Of this thread: an allocator is at work for one of our hooks. */
extern __thread unsigned char mh_inside_allocator
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Is memory counted here and now? Not before the constructor, nor inside an allocator. */
bool mh_refuse_counts(void);

/* Asks for n more bytes. True: refused, and errno is set to what the call is to fail with. What
 * does not count for a budget (a file mapping) may still be refused by a fault of another kind. */
bool mh_refuse(enum mh_call call, enum mh_op_kind kind, size_t n, bool budgeted);
