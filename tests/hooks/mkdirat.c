/* SPDX-License-Identifier: Apache-2.0 */
/* mkdirat(): a directory is there, and made once. */
#include "snippet.h"

int snippet_mkdirat(void)
{
    past(SYS_unlinkat, AT_FDCWD, "snippet.dir", AT_REMOVEDIR);
    TRY(mkdirat(AT_FDCWD, "snippet.dir", 0755));
    WANT(mkdirat(AT_FDCWD, "snippet.dir", 0755) == -1 && errno == EEXIST);
    WANT(past(SYS_unlinkat, AT_FDCWD, "snippet.dir", AT_REMOVEDIR) == 0);
    return 0;
}
