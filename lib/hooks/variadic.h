/* SPDX-License-Identifier: Apache-2.0 */
/* One question about open()'s arguments, apart so that a test can ask it. */
#pragma once

#include <stdbool.h>

/* Does open() with these flags take a third argument? O_TMPFILE is several bits, one of which is
 * O_DIRECTORY: only all of them together mean it. */
bool mh_open_takes_mode(int flags);
