/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_create(): a set; bad arguments are refused. */
#include "snippet.h"

int snippet_epoll_create(void)
{
    int ep = epoll_create(1);

    TRY(ep);
    WANT(epoll_create(0) == -1 && errno == EINVAL);
    close(ep);
    return 0;
}
