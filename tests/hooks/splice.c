/* SPDX-License-Identifier: Apache-2.0 */
/* splice(): from a pipe into a file. */
#include "snippet.h"

int snippet_splice(void)
{
    int fd = temp_file(), p[2];
    char b[6] = "";
    ssize_t n;

    WANT(fd >= 0 && pipe(p) == 0 && write(p[1], "HELLO", 5) == 5);
    n = splice(p[0], NULL, fd, NULL, 5, 0);
    TRY(n);
    WANT(n == 5 && past(SYS_pread64, fd, b, 5, 0L) == 5 && !strcmp(b, "HELLO"));
    done(p[0], p[1]);
    close(fd);
    return 0;
}
