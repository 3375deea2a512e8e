/* SPDX-License-Identifier: Apache-2.0 */
/* __readlink_chk(): where a link leads. */
#include "snippet.h"

ssize_t __readlink_chk(const char *path, char *buf, size_t n, size_t size);

int snippet___readlink_chk(void)
{
    char to[32] = "";

    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    TRY(__readlink_chk("snippet.link", to, sizeof(to), sizeof(to)));
    WANT(!strcmp(to, "snippet.tmp"));
    WANT(__readlink_chk("no/such/file", to, sizeof(to), sizeof(to)) == -1 && errno == ENOENT);
    return 0;
}
