/* SPDX-License-Identifier: Apache-2.0 */
/* write(): bytes into a file. */
#include "snippet.h"

int snippet_write(void)
{
    char b[8] = "";
    ssize_t n;
    int fd = temp_file();

    WANT(fd >= 0);
    n = write(fd, "HELLO", 5);
    GOT(n, 5);
    WANT(lseek(fd, 0, SEEK_SET) == 0);
    WANT(read(fd, b, 5) == 5 && !memcmp(b, "HELLO", 5));
    close(fd);
    return 0;
}
