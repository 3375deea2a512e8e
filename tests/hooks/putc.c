/* SPDX-License-Identifier: Apache-2.0 */
/* putc(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_putc(void)
{
    return by_puts(putc);
}
