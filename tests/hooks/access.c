/* SPDX-License-Identifier: Apache-2.0 */
/* access(): whether a file may be used. */
#include "snippet.h"

int snippet_access(void)
{
    WANT(make_file() == 0);
    TRY(access("snippet.tmp", R_OK));
    WANT(access("no/such/file", F_OK) == -1 && errno == ENOENT);
    return 0;
}
