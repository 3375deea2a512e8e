/* SPDX-License-Identifier: Apache-2.0 */
/* stat64(): what a file is. */
#include "snippet.h"

int snippet_stat64(void)
{
    struct stat64 st;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(stat64("snippet.tmp", &st));
    WANT(S_ISREG(st.st_mode) && st.st_size == 11);
    WANT(stat64("no/such/file", &st) == -1 && errno == ENOENT);
    return 0;
}
