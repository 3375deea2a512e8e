/* SPDX-License-Identifier: Apache-2.0 */
/* linkat(): a file has two names. */
#include "snippet.h"

int snippet_linkat(void)
{
    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.new", 0);
    TRY(linkat(AT_FDCWD, "snippet.tmp", AT_FDCWD, "snippet.new", 0));
    WANT(access("snippet.new", F_OK) == 0);
    WANT(linkat(AT_FDCWD, "snippet.tmp", AT_FDCWD, "snippet.new", 0) == -1 && errno == EEXIST);
    return 0;
}
