/* SPDX-License-Identifier: Apache-2.0 */
/* aligned_alloc(): an aligned block. */
#include "snippet.h"

int snippet_aligned_alloc(void)
{
    char *p = aligned_alloc(4096, 8192);

    if (!p)
        return errno;
    WANT(((uintptr_t)p & 4095) == 0);
    memset(p, 7, 5000);
    WANT(p[4999] == 7);
    free(p);
    return 0;
}
