/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers, times, sizes and shares as people write them in scenarios and options, and the
 * same said back in English. Pure, no locale; any context may call it. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* All take the whole text or refuse it, and return 0 or:
 *   -EINVAL  it is not a number (a sign, a second point, nothing at all)
 *   -ENODATA a unit is missing        -ENOENT the unit is unknown
 *   -ERANGE  it does not fit */
int mh_num_uint(const char *text, uint64_t *ret);    /* 12 */
int mh_num_time(const char *text, int64_t *ret);     /* 200ms, 1.5 s, 2m: nanoseconds */
int mh_num_size(const char *text, uint64_t *ret);    /* 100 bytes, 4KiB, 1.5MB */
int mh_num_percent(const char *text, uint32_t *ret); /* 12.5%: of 2^32 - 1; at most 100 % */

/* The units, for messages: "ns, us, ms, s, m, h". */
extern const char mh_num_time_units[];
extern const char mh_num_size_units[];

/* "200 ms", "1.5 s", "2 min"; "4 KiB", "100 bytes"; "25 %". */
void mh_num_say_time(struct mh_buf *b, int64_t ns);
void mh_num_say_size(struct mh_buf *b, uint64_t bytes);
void mh_num_say_millionths(struct mh_buf *b, uint64_t millionths); /* "1.25" */
void mh_num_say_percent(struct mh_buf *b, uint32_t share);
