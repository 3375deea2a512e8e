/* SPDX-License-Identifier: Apache-2.0 */
/* __read_chk(): the fortified name. */
#include "snippet.h"

ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);

int snippet___read_chk(void)
{
    char b[16] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = __read_chk(fd, b, 5, sizeof(b));
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    close(fd);
    WANT(__read_chk(-1, b, 5, sizeof(b)) == -1 && errno == EBADF);
    return 0;
}
