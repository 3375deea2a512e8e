/* SPDX-License-Identifier: Apache-2.0 */
/* free(): nULL, and blocks of every kind. */
#include "snippet.h"

int snippet_free(void)
{
    void *p;

    free(NULL);
    free(malloc(1));
    free(calloc(1, 1));
    free(aligned_alloc(64, 64));
    WANT(posix_memalign(&p, 64, 64) == 0);
    errno = 77;
    free(p);
    WANT(errno == 77);
    return 0;
}
