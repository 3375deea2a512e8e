/* SPDX-License-Identifier: Apache-2.0 */
/* unlinkat(): a file is gone. */
#include "snippet.h"

int snippet_unlinkat(void)
{
    WANT(make_file() == 0);
    TRY(unlinkat(AT_FDCWD, "snippet.tmp", 0));
    WANT(access("snippet.tmp", F_OK) == -1);
    WANT(unlinkat(AT_FDCWD, "snippet.tmp", 0) == -1 && errno == ENOENT);
    return 0;
}
