/* SPDX-License-Identifier: Apache-2.0 */
/* fopen(): a stream; a missing file gives NULL. */
#include "snippet.h"

int snippet_fopen(void)
{
    FILE *f = fopen("snippet.tmp", "w");

    if (!f)
        return errno;
    WANT(fputs("hello", f) >= 0 && fclose(f) == 0);
    WANT(!fopen("no/such/file", "r") && errno == ENOENT);
    return 0;
}
