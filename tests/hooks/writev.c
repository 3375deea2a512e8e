/* SPDX-License-Identifier: Apache-2.0 */
/* writev(): two buffers. */
#include "snippet.h"

int snippet_writev(void)
{
    char text[] = "HELLO";
    struct iovec v[2] = {{text, 2}, {text + 2, 3}};
    char b[8] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = writev(fd, v, 2);
    GOT(n, 5);
    WANT(lseek(fd, 0, SEEK_SET) == 0);
    WANT(read(fd, b, 5) == 5 && !memcmp(b, "HELLO", 5));
    close(fd);
    return 0;
}
