/* SPDX-License-Identifier: Apache-2.0 */
/* The advice by library that is in force: found and loaded, and what is wrong with it said. */
#pragma once

#include "grade/advice.h"

/* From this folder; NULL: what is shipped. *ret_status, which may be NULL, becomes an exit status:
 * misuse for a folder that cannot be read, trouble for a file with a mistake, which is left out.
 * NULL when there is no advice at all, said on stderr; free it with mh_advice_free(). */
struct mh_advice *mh_advice_open(const char *folder, int *ret_status);
