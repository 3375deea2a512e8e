/* SPDX-License-Identifier: Apache-2.0 */
/* memalign(): an aligned block. */
#include "snippet.h"

int snippet_memalign(void)
{
    char *p = memalign(4096, 8192);

    if (!p)
        return errno;
    WANT(((uintptr_t)p & 4095) == 0);
    memset(p, 7, 5000);
    WANT(p[4999] == 7);
    free(p);
    return 0;
}
