/* SPDX-License-Identifier: Apache-2.0 */
/* readv(): two buffers. */
#include "snippet.h"

int snippet_readv(void)
{
    char b[16] = "";
    struct iovec v[2] = {{b, 2}, {b + 2, 3}};
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = readv(fd, v, 2);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    close(fd);
    WANT(readv(-1, v, 2) == -1 && errno == EBADF);
    return 0;
}
