/* SPDX-License-Identifier: Apache-2.0 */
/* __lxstat(): what lstat() was up to glibc 2.32. */
#include "snippet.h"

int __lxstat(int version, const char *path, struct stat *ret);
/* No new program is bound to it, but by this. */
__asm__(".symver __lxstat, __lxstat@" MH_FIRST_VERSION);

int snippet___lxstat(void)
{
    struct stat st;

    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    memset(&st, 0, sizeof(st));
    TRY(__lxstat(VERSION, "snippet.link", &st));
    WANT(S_ISLNK(st.st_mode));
    WANT(__lxstat(VERSION, "no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
