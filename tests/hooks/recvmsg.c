/* SPDX-License-Identifier: Apache-2.0 */
/* recvmsg(): two buffers, one message. */
#include "snippet.h"

int snippet_recvmsg(void)
{
    char b[16] = "";
    struct iovec v[2] = {{b, 2}, {b + 2, 14}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    n = recvmsg(p[0], &m, 0);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
