/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_pwait(): not ready, then ready with its data. */
#include "snippet.h"

int snippet_epoll_pwait(void)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_C(0x1122334455667788)}, got;
    int p[2], n, ep = epoll_create1(0);

    WANT(ep >= 0 && pair(p) == 0);
    WANT(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e) == 0);
    for (int ready = 0; ready < 2; ready++) {
        n = epoll_pwait(ep, &got, 1, 50, NULL);
        TRY(n);
        WANT(n == ready);
        WANT(!ready || (got.events == EPOLLIN && got.data.u64 == e.data.u64));
        WANT(send(p[1], "x", 1, 0) == 1);
    }
    close(ep);
    done(p[0], p[1]);
    return 0;
}
