/* SPDX-License-Identifier: Apache-2.0 */
/* reallocarray(): a block grows and keeps what it holds. */
#include "snippet.h"

int snippet_reallocarray(void)
{
    char *p = reallocarray(NULL, 2, 5), *q;

    if (!p)
        return errno;
    memcpy(p, "hello", 6);
    q = reallocarray(p, 50, 100);
    if (!q)
        return errno;
    WANT(!strcmp(q, "hello"));
    free(q);
    return 0;
}
