/* SPDX-License-Identifier: Apache-2.0 */
/* fflush(): what was kept is written. */
#include "snippet.h"

int snippet_fflush(void)
{
    FILE *f = temp_stream("w");
    struct stat st;

    WANT(f && fputs("hello", f) >= 0);
    WANT(stat("snippet.tmp", &st) == 0 && st.st_size == 0);
    return written(f, fflush(f) == 0, "hello");
}
