/* SPDX-License-Identifier: Apache-2.0 */
/* _IO_getc(): what getc() was in programs of old. */
#include "snippet.h"

int _IO_getc(FILE *f);

int snippet__IO_getc(void)
{
    return by_bytes(_IO_getc);
}
