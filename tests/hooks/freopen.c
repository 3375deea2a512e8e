/* SPDX-License-Identifier: Apache-2.0 */
/* freopen(): a stream goes on with another file. */
#include "snippet.h"

int snippet_freopen(void)
{
    FILE *f = fopen("/dev/null", "w"), *again;
    struct stat st;

    WANT(f);
    again = freopen("snippet.tmp", "w", f);
    if (!again)
        return errno;
    WANT(again == f && fputs("hello", again) >= 0 && fflush(again) == 0);
    WANT(stat("snippet.tmp", &st) == 0 && st.st_size == 5);
    WANT(!freopen("no/such/file", "r", again) && errno == ENOENT);
    return 0;
}
