/* SPDX-License-Identifier: Apache-2.0 */
/* fgetc(): the bytes of a stream, and then its end. */
#include "snippet.h"

int snippet_fgetc(void)
{
    return by_bytes(fgetc);
}
