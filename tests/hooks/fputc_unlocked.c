/* SPDX-License-Identifier: Apache-2.0 */
/* fputc_unlocked(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_fputc_unlocked(void)
{
    return by_puts(fputc_unlocked);
}
