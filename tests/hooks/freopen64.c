/* SPDX-License-Identifier: Apache-2.0 */
/* freopen64(): a stream goes on with another file. */
#include "snippet.h"

int snippet_freopen64(void)
{
    FILE *f = fopen64("/dev/null", "w"), *again;
    struct stat st;

    WANT(f);
    again = freopen64("snippet.tmp", "w", f);
    if (!again)
        return errno;
    WANT(again == f && fputs("hello", again) >= 0 && fflush(again) == 0);
    WANT(stat("snippet.tmp", &st) == 0 && st.st_size == 5);
    WANT(!freopen64("no/such/file", "r", again) && errno == ENOENT);
    return 0;
}
