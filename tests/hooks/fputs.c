/* SPDX-License-Identifier: Apache-2.0 */
/* fputs(): a text into a stream that does not keep it. */
#include "snippet.h"

int snippet_fputs(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, fputs("hello", f) >= 0, "hello");
}
