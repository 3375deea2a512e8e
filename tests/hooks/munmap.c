/* SPDX-License-Identifier: Apache-2.0 */
/* munmap(): a mapping is gone; a bad address is refused. */
#include "snippet.h"

int snippet_munmap(void)
{
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    WANT(p != MAP_FAILED);
    TRY(munmap(p, 4096));
    WANT(munmap((char *)p + 1, 4096) == -1 && errno == EINVAL);
    return 0;
}
