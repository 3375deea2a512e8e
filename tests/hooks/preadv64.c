/* SPDX-License-Identifier: Apache-2.0 */
/* preadv64(): several places from an offset, the descriptor stays where it was. */
#include "snippet.h"

int snippet_preadv64(void)
{
    char a[3] = "", b[4] = "";
    struct iovec iov[2] = {{a, 2}, {b, 3}};
    int fd = temp_file();
    ssize_t n;

    WANT(fd >= 0);
    n = preadv64(fd, iov, 2, 6);
    GOT(n, 5);
    WANT(!strcmp(a, "wo") && !strcmp(b, "rld") && lseek(fd, 0, SEEK_CUR) == 0);
    close(fd);
    return 0;
}
