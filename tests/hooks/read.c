/* SPDX-License-Identifier: Apache-2.0 */
/* read(): bytes of a file. */
#include "snippet.h"

int snippet_read(void)
{
    char b[16] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = read(fd, b, 5);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    close(fd);
    WANT(read(-1, b, 5) == -1 && errno == EBADF);
    return 0;
}
