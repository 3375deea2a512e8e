/* SPDX-License-Identifier: Apache-2.0 */
/* __recv_chk(): the fortified name. */
#include "snippet.h"

ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);

int snippet___recv_chk(void)
{
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    n = __recv_chk(p[0], b, sizeof(b), sizeof(b), 0);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
