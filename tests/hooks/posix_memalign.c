/* SPDX-License-Identifier: Apache-2.0 */
/* posix_memalign(): an aligned block; the error is the return value. */
#include "snippet.h"

int snippet_posix_memalign(void)
{
    void *p = NULL;
    int r = posix_memalign(&p, 4096, 5000);

    if (r)
        return r;
    WANT(((uintptr_t)p & 4095) == 0);
    free(p);
    WANT(posix_memalign(&p, 3, 8) == EINVAL);
    return 0;
}
