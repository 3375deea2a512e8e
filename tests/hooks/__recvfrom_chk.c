/* SPDX-License-Identifier: Apache-2.0 */
/* __recvfrom_chk(): the fortified name. */
#include "snippet.h"

ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags, struct sockaddr *addr,
                       socklen_t *len);

int snippet___recvfrom_chk(void)
{
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    n = __recvfrom_chk(p[0], b, sizeof(b), sizeof(b), 0, NULL, NULL);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
