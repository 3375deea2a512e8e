/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(): what goes in comes out. */
#include "snippet.h"

int snippet_pipe(void)
{
    int p[2];
    char b = 0;

    TRY(pipe(p));
    WANT(write(p[1], "x", 1) == 1 && read(p[0], &b, 1) == 1 && b == 'x');
    done(p[0], p[1]);
    return 0;
}
