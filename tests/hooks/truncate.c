/* SPDX-License-Identifier: Apache-2.0 */
/* truncate(): a file is cut by its name. */
#include "snippet.h"

int snippet_truncate(void)
{
    struct stat st;

    WANT(make_file() == 0);
    TRY(truncate("snippet.tmp", 3));
    WANT(stat("snippet.tmp", &st) == 0 && st.st_size == 3);
    WANT(truncate("no/such/file", 3) == -1 && errno == ENOENT);
    return 0;
}
