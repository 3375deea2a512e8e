/* SPDX-License-Identifier: Apache-2.0 */
/* __fxstat64(): what fstat64() was up to glibc 2.32. */
#include "snippet.h"

int __fxstat64(int version, int fd, struct stat64 *ret);
/* No new program is bound to it, but by this. */
__asm__(".symver __fxstat64, __fxstat64@" MH_FIRST_VERSION);

int snippet___fxstat64(void)
{
    struct stat64 st;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&st, 0, sizeof(st));
    TRY(__fxstat64(VERSION, fd, &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__fxstat64(VERSION, -1, &st) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
