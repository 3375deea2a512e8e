/* SPDX-License-Identifier: Apache-2.0 */
/* __fxstat(): what fstat() was up to glibc 2.32. */
#include "snippet.h"

int __fxstat(int version, int fd, struct stat *ret);
/* No new program is bound to it, but by this. */
__asm__(".symver __fxstat, __fxstat@" MH_FIRST_VERSION);

int snippet___fxstat(void)
{
    struct stat st;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&st, 0, sizeof(st));
    TRY(__fxstat(VERSION, fd, &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__fxstat(VERSION, -1, &st) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
