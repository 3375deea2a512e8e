/* SPDX-License-Identifier: Apache-2.0 */
/* fopen64(): a stream; a missing file gives NULL. */
#include "snippet.h"

int snippet_fopen64(void)
{
    FILE *f = fopen64("snippet.tmp", "w");

    if (!f)
        return errno;
    WANT(fputs("hello", f) >= 0 && fclose(f) == 0);
    WANT(!fopen64("no/such/file", "r") && errno == ENOENT);
    return 0;
}
