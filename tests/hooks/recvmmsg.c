/* SPDX-License-Identifier: Apache-2.0 */
/* recvmmsg(): several messages in one call. */
#include "snippet.h"

int snippet_recvmmsg(void)
{
    char b[16] = "";
    struct iovec v = {b, sizeof(b)};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    int p[2], n;

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    n = recvmmsg(p[0], &m, 1, 0, NULL);
    GOT(n, 1);
    GOT((int)m.msg_len, 5);
    WANT(!memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
