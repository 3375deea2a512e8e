/* SPDX-License-Identifier: Apache-2.0 */
/* getc(): the bytes of a stream, and then its end. */
#include "snippet.h"

int snippet_getc(void)
{
    return by_bytes(getc);
}
