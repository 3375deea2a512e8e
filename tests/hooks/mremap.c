/* SPDX-License-Identifier: Apache-2.0 */
/* mremap(): a mapping grows and keeps what it holds. */
#include "snippet.h"

int snippet_mremap(void)
{
    char *p = (char *)past(SYS_mmap, NULL, 8192, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
         *q;

    WANT(p != MAP_FAILED);
    p[0] = 5;
    q = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
    if (q == MAP_FAILED)
        return errno;
    WANT(q[0] == 5 && q[(1 << 20) - 1] == 0);
    munmap(q, 1 << 20);
    return 0;
}
