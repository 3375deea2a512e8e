/* SPDX-License-Identifier: Apache-2.0 */
/* Sends JSON over HTTP by libcurl, which is loaded when it is needed: the command runs without. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { MH_POST_WHY = 200 };

/* Is libcurl there? */
bool mh_post_can(void);

/* POSTs `json`; `header` is one more line, or NULL. Neither is ever printed, nor is the address.
 * Takes 10 s at most. Returns 0 when the answer was 2xx; else -1 with the reason. */
int mh_post(const char *address, const char *header, const char *json, char why[MH_POST_WHY]);
