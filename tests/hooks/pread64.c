/* SPDX-License-Identifier: Apache-2.0 */
/* pread64(): bytes from an offset. */
#include "snippet.h"

int snippet_pread64(void)
{
    char b[16] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = pread64(fd, b, 5, 0);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    WANT(pread64(fd, b, 5, -1) == -1 && errno == EINVAL);
    close(fd);
    WANT(pread64(-1, b, 5, 0) == -1 && errno == EBADF);
    return 0;
}
