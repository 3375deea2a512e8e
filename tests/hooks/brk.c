/* SPDX-License-Identifier: Apache-2.0 */
/* brk(): memory up to a new break. */
#include "snippet.h"

int snippet_brk(void)
{
    char *p = (char *)past(SYS_brk, 0);

    TRY(brk(p + 65536));
    memset(p, 7, 65536);
    WANT(p[65535] == 7 && sbrk(0) == p + 65536);
    return 0;
}
