/* SPDX-License-Identifier: Apache-2.0 */
/* fstatat64(): what a link leads to. */
#include "snippet.h"

int snippet_fstatat64(void)
{
    struct stat64 st;

    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    memset(&st, 0, sizeof(st));
    TRY(fstatat64(AT_FDCWD, "snippet.link", &st, 0));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(fstatat64(AT_FDCWD, "no/such/file", &st, 0) == -1 && errno == ENOENT);
    return 0;
}
