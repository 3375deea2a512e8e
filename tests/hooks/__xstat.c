/* SPDX-License-Identifier: Apache-2.0 */
/* __xstat(): what stat() was up to glibc 2.32. */
#include "snippet.h"

int __xstat(int version, const char *path, struct stat *ret);
/* No new program is bound to it, but by this. */
__asm__(".symver __xstat, __xstat@" MH_FIRST_VERSION);

int snippet___xstat(void)
{
    struct stat st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(__xstat(VERSION, "snippet.tmp", &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__xstat(VERSION, "no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
