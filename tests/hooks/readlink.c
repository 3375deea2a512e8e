/* SPDX-License-Identifier: Apache-2.0 */
/* readlink(): where a link leads. */
#include "snippet.h"

int snippet_readlink(void)
{
    char to[32] = "";

    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    TRY(readlink("snippet.link", to, sizeof(to)));
    WANT(!strcmp(to, "snippet.tmp"));
    WANT(readlink("no/such/file", to, sizeof(to)) == -1 && errno == ENOENT);
    return 0;
}
