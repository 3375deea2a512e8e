/* SPDX-License-Identifier: Apache-2.0 */
/* symlinkat(): a name leads to another. */
#include "snippet.h"

int snippet_symlinkat(void)
{
    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.new", 0);
    TRY(symlinkat("snippet.tmp", AT_FDCWD, "snippet.new"));
    WANT(access("snippet.new", F_OK) == 0);
    WANT(symlinkat("snippet.tmp", AT_FDCWD, "snippet.new") == -1 && errno == EEXIST);
    return 0;
}
