/* SPDX-License-Identifier: Apache-2.0 */
/* pwrite64(): bytes at an offset. */
#include "snippet.h"

int snippet_pwrite64(void)
{
    char b[8] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = pwrite64(fd, "HELLO", 5, 0);
    GOT(n, 5);
    WANT(lseek(fd, 0, SEEK_SET) == 0);
    WANT(read(fd, b, 5) == 5 && !memcmp(b, "HELLO", 5));
    WANT(pwrite64(fd, b, 5, -1) == -1 && errno == EINVAL);
    close(fd);
    return 0;
}
