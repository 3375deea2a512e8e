/* SPDX-License-Identifier: Apache-2.0 */
/* lstat64(): a link itself, not what it leads to. */
#include "snippet.h"

int snippet_lstat64(void)
{
    struct stat64 st;

    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    memset(&st, 0, sizeof(st));
    TRY(lstat64("snippet.link", &st));
    WANT(S_ISLNK(st.st_mode));
    WANT(lstat64("no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
