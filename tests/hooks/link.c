/* SPDX-License-Identifier: Apache-2.0 */
/* link(): a file has two names. */
#include "snippet.h"

int snippet_link(void)
{
    WANT(make_file() == 0);
    past(SYS_unlinkat, AT_FDCWD, "snippet.new", 0);
    TRY(link("snippet.tmp", "snippet.new"));
    WANT(access("snippet.new", F_OK) == 0);
    WANT(link("snippet.tmp", "snippet.new") == -1 && errno == EEXIST);
    return 0;
}
