/* SPDX-License-Identifier: Apache-2.0 */
/* fstat(): what an open file is. */
#include "snippet.h"

int snippet_fstat(void)
{
    struct stat st;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&st, 0, sizeof(st));
    TRY(fstat(fd, &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(fstat(-1, &st) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
