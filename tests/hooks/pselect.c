/* SPDX-License-Identifier: Apache-2.0 */
/* pselect(): not ready, then ready. */
#include "snippet.h"

int snippet_pselect(void)
{
    fd_set r;
    int n;
    int p[2];

    WANT(pair(p) == 0);
    for (int ready = 0; ready < 2; ready++) {
        struct timespec t = {0, 50000000};

        FD_ZERO(&r);
        FD_SET(p[0], &r);
        n = pselect(p[0] + 1, &r, NULL, NULL, &t, NULL);
        TRY(n);
        WANT(n == ready && !!FD_ISSET(p[0], &r) == ready);
        WANT(send(p[1], "x", 1, 0) == 1);
    }
    done(p[0], p[1]);
    return 0;
}
