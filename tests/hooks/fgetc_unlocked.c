/* SPDX-License-Identifier: Apache-2.0 */
/* fgetc_unlocked(): the bytes of a stream, and then its end. */
#include "snippet.h"

int snippet_fgetc_unlocked(void)
{
    return by_bytes(fgetc_unlocked);
}
