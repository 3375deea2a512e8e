/* SPDX-License-Identifier: Apache-2.0 */
/* __underflow(): fills the buffer, and leaves the byte there. */
#include "snippet.h"

int __underflow(FILE *f);

static int get(FILE *f)
{
    int c = __underflow(f);

    return c == EOF ? c : (unsigned char)*f->_IO_read_ptr++;
}

int snippet___underflow(void)
{
    return by_bytes(get);
}
