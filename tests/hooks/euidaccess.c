/* SPDX-License-Identifier: Apache-2.0 */
/* euidaccess(): whether a file may be used, by who it is that acts. */
#include "snippet.h"

int snippet_euidaccess(void)
{
    WANT(make_file() == 0);
    TRY(euidaccess("snippet.tmp", R_OK));
    WANT(euidaccess("no/such/file", F_OK) == -1 && errno == ENOENT);
    return 0;
}
