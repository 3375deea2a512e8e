/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_create1(): a set; bad arguments are refused. */
#include "snippet.h"

int snippet_epoll_create1(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);

    TRY(ep);
    WANT(epoll_create1(-1) == -1 && errno == EINVAL);
    close(ep);
    return 0;
}
