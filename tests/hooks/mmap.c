/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(): zeroed memory; a bad length is refused. */
#include "snippet.h"

int snippet_mmap(void)
{
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return errno;
    WANT(p[0] == 0 && p[8191] == 0);
    p[8191] = 1;
    munmap(p, 8192);
    WANT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
         errno == EINVAL);
    return 0;
}
