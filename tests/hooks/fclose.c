/* SPDX-License-Identifier: Apache-2.0 */
/* fclose(): what was buffered is in the file, and the descriptor is free. */
#include "snippet.h"

int snippet_fclose(void)
{
    FILE *f = fopen64("snippet.tmp", "w");
    struct stat st;
    int fd;

    WANT(f && fputs("hello", f) >= 0);
    fd = fileno(f);
    TRY(fclose(f));
    WANT(stat("snippet.tmp", &st) == 0 && st.st_size == 5);
    WANT(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    return 0;
}
