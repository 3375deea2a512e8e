/* SPDX-License-Identifier: Apache-2.0 */
/* __overflow(): what putc_unlocked() becomes when there is no room. */
#include "snippet.h"

int __overflow(FILE *f, int c);

static int put(int c, FILE *f)
{
    return __overflow(f, (unsigned char)c);
}

int snippet___overflow(void)
{
    return by_puts(put);
}
