/* SPDX-License-Identifier: Apache-2.0 */
/* poll(): not ready, then ready. */
#include "snippet.h"

int snippet_poll(void)
{
    struct pollfd f = {.events = POLLIN};
    int n;
    int p[2];

    WANT(pair(p) == 0);
    for (int ready = 0; ready < 2; ready++) {
        f.fd = p[0];
        f.revents = 0x7f;
        n = poll(&f, 1, 50);
        TRY(n);
        WANT(n == ready && f.revents == (ready ? POLLIN : 0));
        WANT(send(p[1], "x", 1, 0) == 1);
    }
    done(p[0], p[1]);
    return 0;
}
