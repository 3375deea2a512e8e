/* SPDX-License-Identifier: Apache-2.0 */
/* socketpair(): two ends that talk. */
#include "snippet.h"

int snippet_socketpair(void)
{
    char b = 0;
    int p[2];

    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
    WANT(write(p[0], "x", 1) == 1 && read(p[1], &b, 1) == 1 && b == 'x');
    done(p[0], p[1]);
    return 0;
}
