/* SPDX-License-Identifier: Apache-2.0 */
/* getc_unlocked(): the bytes of a stream, and then its end. */
#include "snippet.h"

int snippet_getc_unlocked(void)
{
    return by_bytes(getc_unlocked);
}
