/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings that are out of use, but that a thread might be reading or writing at this very moment:
 * they are given back when it has long been done. Raw system calls only; one thread at a time. */
#pragma once

#include <stddef.h>

/* Out of use from now on. What does not fit into the table stays mapped for good. */
void mh_retire(void *at, size_t n);

/* Unmaps what has been out of use for long enough. */
void mh_retired_unmap(void);
