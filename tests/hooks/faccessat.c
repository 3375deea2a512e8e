/* SPDX-License-Identifier: Apache-2.0 */
/* faccessat(): whether a file may be used, also by who it is that acts. */
#include "snippet.h"

int snippet_faccessat(void)
{
    WANT(make_file() == 0);
    TRY(faccessat(AT_FDCWD, "snippet.tmp", R_OK, 0));
    WANT(faccessat(AT_FDCWD, "snippet.tmp", R_OK, AT_EACCESS) == 0);
    WANT(faccessat(AT_FDCWD, "no/such/file", F_OK, 0) == -1 && errno == ENOENT);
    return 0;
}
