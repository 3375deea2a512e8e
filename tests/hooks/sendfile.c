/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile(): from a file into a file. */
#include "snippet.h"

int snippet_sendfile(void)
{
    char b[8] = "";
    off_t at = 0;
    ssize_t n;
    int from, fd = temp_file();

    WANT(fd >= 0 && past(SYS_write, fd, "HELLO", 5) == 5);
    from = syscall_open("snippet.tmp");
    WANT(from >= 0 && ftruncate(fd, 5) == 0 && lseek(fd, 0, SEEK_END) == 5);
    n = sendfile(fd, from, &at, 5);
    GOT(n, 5);
    WANT(at == 5 && lseek(fd, 5, SEEK_SET) == 5 && read(fd, b, 5) == 5 && !memcmp(b, "HELLO", 5));
    close(from);
    close(fd);
    return 0;
}
