/* SPDX-License-Identifier: Apache-2.0 */
/* sbrk(): memory at the break. */
#include "snippet.h"

int snippet_sbrk(void)
{
    char *p = sbrk(65536);

    if (p == (char *)-1)
        return errno;
    memset(p, 7, 65536);
    WANT(p[65535] == 7);
    return 0;
}
