/* SPDX-License-Identifier: Apache-2.0 */
/* unlink(): a file is gone. */
#include "snippet.h"

int snippet_unlink(void)
{
    WANT(make_file() == 0);
    TRY(unlink("snippet.tmp"));
    WANT(access("snippet.tmp", F_OK) == -1);
    WANT(unlink("snippet.tmp") == -1 && errno == ENOENT);
    return 0;
}
