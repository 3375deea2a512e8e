/* SPDX-License-Identifier: Apache-2.0 */
/* fstatat(): what a link leads to. */
#include "snippet.h"

int snippet_fstatat(void)
{
    struct stat st;

    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    memset(&st, 0, sizeof(st));
    TRY(fstatat(AT_FDCWD, "snippet.link", &st, 0));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(fstatat(AT_FDCWD, "no/such/file", &st, 0) == -1 && errno == ENOENT);
    return 0;
}
