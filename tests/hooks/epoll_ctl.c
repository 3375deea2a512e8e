/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_ctl(): added, changed, removed; and each refusal. */
#include "snippet.h"

int snippet_epoll_ctl(void)
{
    struct epoll_event e = {.events = EPOLLOUT, .data.fd = 7}, got;
    int p[2], ep = epoll_create1(0);

    WANT(ep >= 0 && pair(p) == 0);
    TRY(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
    WANT(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e) == -1 && errno == EEXIST);
    WANT(epoll_wait(ep, &got, 1, 0) == 1 && got.events == EPOLLOUT && got.data.fd == 7);
    e.events = EPOLLIN;
    TRY(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
    WANT(epoll_wait(ep, &got, 1, 0) == 0);
    TRY(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    WANT(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], &e) == -1 && errno == ENOENT);
    WANT(epoll_ctl(ep, EPOLL_CTL_ADD, -1, &e) == -1 && errno == EBADF);
    close(ep);
    done(p[0], p[1]);
    return 0;
}
