/* SPDX-License-Identifier: Apache-2.0 */
/* fputc(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_fputc(void)
{
    return by_puts(fputc);
}
