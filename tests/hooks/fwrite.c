/* SPDX-License-Identifier: Apache-2.0 */
/* fwrite(): bytes into a stream that does not keep them. */
#include "snippet.h"

int snippet_fwrite(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, fwrite("hello", 1, 5, f) == 5, "hello");
}
