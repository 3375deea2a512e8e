/* SPDX-License-Identifier: Apache-2.0 */
/* __uflow(): what getc_unlocked() becomes when there is nothing in the buffer. */
#include "snippet.h"

int __uflow(FILE *f);

static int get(FILE *f)
{
    return f->_IO_read_ptr < f->_IO_read_end ? (unsigned char)*f->_IO_read_ptr++ : __uflow(f);
}

int snippet___uflow(void)
{
    return by_bytes(get);
}
