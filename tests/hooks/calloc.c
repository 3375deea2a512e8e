/* SPDX-License-Identifier: Apache-2.0 */
/* calloc(): a block of zeros. */
#include "snippet.h"

int snippet_calloc(void)
{
    char *p = calloc(50, 100);

    if (!p)
        return errno;
    for (int i = 0; i < 5000; i++)
        WANT(p[i] == 0);
    memset(p, 7, 5000);
    WANT(p[4999] == 7);
    free(p);
    return 0;
}
