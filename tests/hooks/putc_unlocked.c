/* SPDX-License-Identifier: Apache-2.0 */
/* putc_unlocked(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_putc_unlocked(void)
{
    return by_puts(putc_unlocked);
}
