/* SPDX-License-Identifier: Apache-2.0 */
/* __xstat64(): what stat64() was up to glibc 2.32. */
#include "snippet.h"

int __xstat64(int version, const char *path, struct stat64 *ret);
/* No new program is bound to it, but by this. */
__asm__(".symver __xstat64, __xstat64@" MH_FIRST_VERSION);

int snippet___xstat64(void)
{
    struct stat64 st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(__xstat64(VERSION, "snippet.tmp", &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(__xstat64(VERSION, "no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
