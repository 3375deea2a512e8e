/* SPDX-License-Identifier: Apache-2.0 */
/* realloc(): a block grows and keeps what it holds. */
#include "snippet.h"

int snippet_realloc(void)
{
    char *p = realloc(NULL, 10), *q;

    if (!p)
        return errno;
    memcpy(p, "hello", 6);
    q = realloc(p, 5000);
    if (!q)
        return errno;
    WANT(!strcmp(q, "hello"));
    free(q);
    return 0;
}
