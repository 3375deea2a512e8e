/* SPDX-License-Identifier: Apache-2.0 */
/* accept(): a client is let in and has its address. */
#include "snippet.h"

int snippet_accept(void)
{
    struct sockaddr_in at, own;
    socklen_t len = sizeof(at), own_len = sizeof(own);
    int l = listener(), c = socket(AF_INET, SOCK_STREAM, 0), fd;

    WANT(l >= 0 && c >= 0 && dial(c, l) == 0);
    fd = accept(l, (struct sockaddr *)&at, &len);
    TRY(fd);
    WANT(getsockname(c, (struct sockaddr *)&own, &own_len) == 0);
    WANT(len == sizeof(at) && at.sin_port == own.sin_port);
    close(l);
    done(c, fd);
    return 0;
}
