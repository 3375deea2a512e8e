/* SPDX-License-Identifier: Apache-2.0 */
/* symlink(): a name leads to another. */
#include "snippet.h"

int snippet_symlink(void)
{
    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.new", 0);
    TRY(symlink("snippet.tmp", "snippet.new"));
    WANT(access("snippet.new", F_OK) == 0);
    WANT(symlink("snippet.tmp", "snippet.new") == -1 && errno == EEXIST);
    return 0;
}
