/* SPDX-License-Identifier: Apache-2.0 */
/* __open64_2(): the fortified name, for an open without a mode. */
#include "snippet.h"

int __open64_2(const char *path, int flags);

int snippet___open64_2(void)
{
    char b[8];
    int fd;

    WANT(make_file() == 0);
    fd = __open64_2("snippet.tmp", O_RDONLY);
    TRY(fd);
    WANT(read(fd, b, 5) == 5 && !memcmp(b, "hello", 5));
    close(fd);
    return 0;
}
