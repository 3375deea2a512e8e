/* SPDX-License-Identifier: Apache-2.0 */
/* pwritev64(): several places to an offset, the descriptor stays where it was. */
#include "snippet.h"

int snippet_pwritev64(void)
{
    char a[] = "WO", c[] = "RLD";
    struct iovec iov[2] = {{a, 2}, {c, 3}};
    int fd = temp_file();
    char b[12] = "";
    ssize_t n;

    WANT(fd >= 0);
    n = pwritev64(fd, iov, 2, 6);
    GOT(n, 5);
    WANT(lseek(fd, 0, SEEK_CUR) == 0);
    WANT(past(SYS_pread64, fd, b, 11, 0L) == 11 && !strcmp(b, "hello WORLD"));
    close(fd);
    return 0;
}
