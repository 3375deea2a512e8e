/* SPDX-License-Identifier: Apache-2.0 */
/* copy_file_range(): from one file to another, at offsets. */
#include "snippet.h"

int snippet_copy_file_range(void)
{
    int fd = temp_file(), to = open64("snippet.tmp", O_RDWR);
    off64_t from_at = 0, to_at = 20;
    char b[6] = "";
    ssize_t n;

    WANT(fd >= 0 && to >= 0);
    n = copy_file_range(fd, &from_at, to, &to_at, 5, 0);
    TRY(n);
    WANT(n == 5 && from_at == 5 && to_at == 25);
    WANT(past(SYS_pread64, fd, b, 5, 20L) == 5 && !strcmp(b, "hello"));
    done(fd, to);
    return 0;
}
