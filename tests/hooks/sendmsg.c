/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg(): two buffers, one message. */
#include "snippet.h"

int snippet_sendmsg(void)
{
    char text[] = "hello";
    struct iovec v[2] = {{text, 2}, {text + 2, 3}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    n = sendmsg(p[0], &m, MSG_NOSIGNAL);
    GOT(n, 5);
    WANT(recv(p[1], b, sizeof(b), 0) == 5 && !memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
