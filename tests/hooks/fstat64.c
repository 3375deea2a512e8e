/* SPDX-License-Identifier: Apache-2.0 */
/* fstat64(): what an open file is. */
#include "snippet.h"

int snippet_fstat64(void)
{
    struct stat64 st;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&st, 0, sizeof(st));
    TRY(fstat64(fd, &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(fstat64(-1, &st) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
