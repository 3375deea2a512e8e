/* SPDX-License-Identifier: Apache-2.0 */
/* fwrite_unlocked(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_fwrite_unlocked(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, fwrite_unlocked("hello", 1, 5, f) == 5, "hello");
}
