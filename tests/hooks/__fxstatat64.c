/* SPDX-License-Identifier: Apache-2.0 */
/* __fxstatat64(): what fstatat64() was up to glibc 2.32. */
#include "snippet.h"

int __fxstatat64(int version, int dir, const char *path, struct stat64 *ret, int flags);
/* No new program is bound to it, but by this. */
__asm__(".symver __fxstatat64, __fxstatat64@" MH_FXSTATAT_VERSION);

int snippet___fxstatat64(void)
{
    struct stat64 st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(__fxstatat64(VERSION, AT_FDCWD, "snippet.tmp", &st, 0));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__fxstatat64(VERSION, AT_FDCWD, "no/such/file", &st, 0) == -1 && errno == ENOENT);
    return 0;
}
