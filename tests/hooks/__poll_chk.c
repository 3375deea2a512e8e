/* SPDX-License-Identifier: Apache-2.0 */
/* __poll_chk(): the fortified name. */
#include "snippet.h"

int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);

int snippet___poll_chk(void)
{
    struct pollfd f = {.events = POLLIN};
    int n;
    int p[2];

    WANT(pair(p) == 0);
    for (int ready = 0; ready < 2; ready++) {
        f.fd = p[0];
        f.revents = 0x7f;
        n = __poll_chk(&f, 1, 50, sizeof(f));
        TRY(n);
        WANT(n == ready && f.revents == (ready ? POLLIN : 0));
        WANT(send(p[1], "x", 1, 0) == 1);
    }
    done(p[0], p[1]);
    return 0;
}
