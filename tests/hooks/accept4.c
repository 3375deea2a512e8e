/* SPDX-License-Identifier: Apache-2.0 */
/* accept4(): a client is let in and has its address. */
#include "snippet.h"

int snippet_accept4(void)
{
    struct sockaddr_in at, own;
    socklen_t len = sizeof(at), own_len = sizeof(own);
    int l = listener(), c = socket(AF_INET, SOCK_STREAM, 0), fd;

    WANT(l >= 0 && c >= 0 && dial(c, l) == 0);
    fd = accept4(l, (struct sockaddr *)&at, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    TRY(fd);
    WANT(getsockname(c, (struct sockaddr *)&own, &own_len) == 0);
    WANT(len == sizeof(at) && at.sin_port == own.sin_port);
    WANT(fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(l);
    done(c, fd);
    return 0;
}
