/* SPDX-License-Identifier: Apache-2.0 */
/* readlinkat(): where a link leads. */
#include "snippet.h"

int snippet_readlinkat(void)
{
    char to[32] = "";

    past(SYS_unlinkat, AT_FDCWD, "snippet.link", 0);
    WANT(past(SYS_symlinkat, "snippet.tmp", AT_FDCWD, "snippet.link") == 0);
    TRY(readlinkat(AT_FDCWD, "snippet.link", to, sizeof(to)));
    WANT(!strcmp(to, "snippet.tmp"));
    WANT(readlinkat(AT_FDCWD, "no/such/file", to, sizeof(to)) == -1 && errno == ENOENT);
    return 0;
}
