/* SPDX-License-Identifier: Apache-2.0 */
/* __pread64_chk(): the fortified name. */
#include "snippet.h"

ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t at, size_t size);

int snippet___pread64_chk(void)
{
    char b[16] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = __pread64_chk(fd, b, 5, 0, sizeof(b));
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    close(fd);
    WANT(__pread64_chk(-1, b, 5, 0, sizeof(b)) == -1 && errno == EBADF);
    return 0;
}
