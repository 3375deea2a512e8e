/* SPDX-License-Identifier: Apache-2.0 */
/* fprintf(): values as text. */
#include "snippet.h"

int snippet_fprintf(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, fprintf(f, "%s %d", "seven", 7) == 7, "seven 7");
}
