/* SPDX-License-Identifier: Apache-2.0 */
/* fputs_unlocked(): a text into a stream that does not keep it. */
#include "snippet.h"

int snippet_fputs_unlocked(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, fputs_unlocked("hello", f) >= 0, "hello");
}
