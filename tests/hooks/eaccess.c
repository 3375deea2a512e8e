/* SPDX-License-Identifier: Apache-2.0 */
/* eaccess(): whether a file may be used, by who it is that acts. */
#include "snippet.h"

int snippet_eaccess(void)
{
    WANT(make_file() == 0);
    TRY(eaccess("snippet.tmp", R_OK));
    WANT(eaccess("no/such/file", F_OK) == -1 && errno == ENOENT);
    return 0;
}
