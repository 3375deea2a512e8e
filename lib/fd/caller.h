/* SPDX-License-Identifier: Apache-2.0 */
/* Whose code makes the call: the shared object to which the hook under way returns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "python/python.h"

/* Has places say which faults ask for them, if the rules have any that do. Called by the
 * constructor, when the rules are there. */
void mh_caller_init(void);

/* Path of the mapping that holds this address, without " (deleted)"; false: none, or it cannot be
 * told. No memory, no libc: any context may call it, but it opens a file. */
bool mh_caller_object(const void *address, char *ret, size_t size);
