/* SPDX-License-Identifier: Apache-2.0 */
/* _IO_putc(): what putc() was in programs of old. */
#include "snippet.h"

int _IO_putc(int c, FILE *f);

int snippet__IO_putc(void)
{
    return by_puts(_IO_putc);
}
