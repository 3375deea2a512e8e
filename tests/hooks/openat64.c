/* SPDX-License-Identifier: Apache-2.0 */
/* openat64(): a new file has the mode that was asked. */
#include "snippet.h"

int snippet_openat64(void)
{
    struct stat st;
    int fd;

    unlink("snippet.tmp");
    fd = openat64(AT_FDCWD, "snippet.tmp", O_RDWR | O_CREAT | O_TRUNC, 0640);
    TRY(fd);
    WANT(fstat(fd, &st) == 0 && (st.st_mode & 0777) == (0640 & ~mask()) && st.st_size == 0);
    close(fd);
    return 0;
}
