/* SPDX-License-Identifier: Apache-2.0 */
/* setsockopt(): a receive limit is kept. */
#include "snippet.h"

int snippet_setsockopt(void)
{
    struct timeval limit = {0, 20000};
    char b;
    int p[2];

    WANT(pair(p) == 0);
    TRY(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
    WANT(recv(p[0], &b, 1, 0) == -1 && errno == EAGAIN);
    done(p[0], p[1]);
    return 0;
}
