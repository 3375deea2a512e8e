/* SPDX-License-Identifier: Apache-2.0 */
/* __readlinkat_chk(): where a link leads. */
#include "snippet.h"

ssize_t __readlinkat_chk(int dir, const char *path, char *buf, size_t n, size_t size);

int snippet___readlinkat_chk(void)
{
    char to[32] = "";

    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    TRY(__readlinkat_chk(AT_FDCWD, "snippet.link", to, sizeof(to), sizeof(to)));
    WANT(!strcmp(to, "snippet.tmp"));
    WANT(__readlinkat_chk(AT_FDCWD, "no/such/file", to, sizeof(to), sizeof(to)) == -1 &&
         errno == ENOENT);
    return 0;
}
