/* SPDX-License-Identifier: Apache-2.0 */
/* listen(): a socket listens; a descriptor that is none does not. */
#include "snippet.h"

int snippet_listen(void)
{
    int l = listener();

    TRY(l);
    TRY(listen(l, 1));
    WANT(listen(-1, 1) == -1 && errno == EBADF);
    close(l);
    return 0;
}
