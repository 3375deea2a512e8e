/* SPDX-License-Identifier: Apache-2.0 */
/* Strict values of options. Each returns 0, or -EINVAL / -ERANGE with *ret untouched. */
#pragma once

#include <stdint.h>

/* "60s", "1500ms", "2m", "1.5h"; the unit must be there, the time above 0 and at most a week. */
int mh_arg_duration(const char *text, int64_t *ret_ns);

/* A decimal or 0x number from 0 to max. */
int mh_arg_number(const char *text, uint64_t max, uint64_t *ret);
