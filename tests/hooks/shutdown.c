/* SPDX-License-Identifier: Apache-2.0 */
/* shutdown(): the other end reads the end. */
#include "snippet.h"

int snippet_shutdown(void)
{
    char b;
    int p[2];

    WANT(pair(p) == 0);
    TRY(shutdown(p[0], SHUT_WR));
    WANT(recv(p[1], &b, 1, 0) == 0);
    WANT(shutdown(-1, SHUT_WR) == -1 && errno == EBADF);
    done(p[0], p[1]);
    return 0;
}
