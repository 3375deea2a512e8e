/* SPDX-License-Identifier: Apache-2.0 */
/* malloc(): a block. */
#include "snippet.h"

int snippet_malloc(void)
{
    char *p = malloc(5000);

    if (!p)
        return errno;
    memset(p, 7, 5000);
    WANT(p[4999] == 7);
    free(p);
    return 0;
}
