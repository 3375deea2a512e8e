/* SPDX-License-Identifier: Apache-2.0 */
/* stat(): what a file is. */
#include "snippet.h"

int snippet_stat(void)
{
    struct stat st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(stat("snippet.tmp", &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(stat("no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
