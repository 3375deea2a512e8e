/* SPDX-License-Identifier: Apache-2.0 */
/* The redis protocol (RESP), as far as the reporter needs it: which command a request is, and
 * whether it gives what it writes a time to live. Keys and values are passed over, never kept.
 * Pure. */
#pragma once

#include <stddef.h>

enum { MH_RESP_TEXT = 24 };

/* Puts the command's name in capitals into ret, followed by " EX" when it writes with a time to
 * live
 * ("SET EX", "SETEX", "EXPIRE"). Returns its length, or 0 when the bytes are no RESP command. */
size_t mh_resp_command(const void *bytes, size_t n, char ret[MH_RESP_TEXT]);
