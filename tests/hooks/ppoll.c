/* SPDX-License-Identifier: Apache-2.0 */
/* ppoll(): not ready, then ready. */
#include "snippet.h"

int snippet_ppoll(void)
{
    struct pollfd f = {.events = POLLIN};
    int n;
    struct timespec t = {0, 50000000};
    int p[2];

    WANT(pair(p) == 0);
    for (int ready = 0; ready < 2; ready++) {
        f.fd = p[0];
        f.revents = 0x7f;
        n = ppoll(&f, 1, &t, NULL);
        TRY(n);
        WANT(n == ready && f.revents == (ready ? POLLIN : 0));
        WANT(send(p[1], "x", 1, 0) == 1);
    }
    done(p[0], p[1]);
    return 0;
}
