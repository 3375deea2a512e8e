/* SPDX-License-Identifier: Apache-2.0 */
/* sendmmsg(): several messages in one call. */
#include "snippet.h"

int snippet_sendmmsg(void)
{
    char text[] = "hello", b[16] = "";
    struct iovec v = {text, 5};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    int p[2], n;

    WANT(pair(p) == 0);
    n = sendmmsg(p[0], &m, 1, MSG_NOSIGNAL);
    GOT(n, 1);
    GOT((int)m.msg_len, 5);
    WANT(recv(p[1], b, sizeof(b), 0) == 5 && !memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
