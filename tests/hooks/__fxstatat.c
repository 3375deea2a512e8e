/* SPDX-License-Identifier: Apache-2.0 */
/* __fxstatat(): what fstatat() was up to glibc 2.32. */
#include "snippet.h"

int __fxstatat(int version, int dir, const char *path, struct stat *ret, int flags);
/* No new program is bound to it, but by this. */
__asm__(".symver __fxstatat, __fxstatat@" MH_FXSTATAT_VERSION);

int snippet___fxstatat(void)
{
    struct stat st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(__fxstatat(VERSION, AT_FDCWD, "snippet.tmp", &st, 0));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__fxstatat(VERSION, AT_FDCWD, "no/such/file", &st, 0) == -1 && errno == ENOENT);
    return 0;
}
