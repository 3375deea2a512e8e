/* SPDX-License-Identifier: Apache-2.0 */
/* __openat_2(): the fortified name, for an open without a mode. */
#include "snippet.h"

int __openat_2(int dir, const char *path, int flags);

int snippet___openat_2(void)
{
    char b[8];
    int fd;

    WANT(make_file() == 0);
    fd = __openat_2(AT_FDCWD, "snippet.tmp", O_RDONLY);
    TRY(fd);
    WANT(read(fd, b, 5) == 5 && !memcmp(b, "hello", 5));
    close(fd);
    return 0;
}
