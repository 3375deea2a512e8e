/* SPDX-License-Identifier: Apache-2.0 */
/* renameat2(): a file has its new name and not the old one. */
#include "snippet.h"

int snippet_renameat2(void)
{
    WANT(make_file() == 0);
    TRY(renameat2(AT_FDCWD, "snippet.tmp", AT_FDCWD, "snippet.new", 0));
    WANT(access("snippet.tmp", F_OK) == -1 && access("snippet.new", F_OK) == 0);
    WANT(renameat2(AT_FDCWD, "snippet.tmp", AT_FDCWD, "snippet.new", 0) == -1 && errno == ENOENT);
    return 0;
}
