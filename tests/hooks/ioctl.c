/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(): fIONREAD counts, FIONBIO sets. */
#include "snippet.h"

int snippet_ioctl(void)
{
    char b[8];
    int p[2], n = -1, on = 1;

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    WANT(recv(p[0], b, 1, MSG_PEEK) == 1);
    TRY(ioctl(p[0], FIONREAD, &n));
    WANT(n == 5);
    TRY(ioctl(p[0], FIONBIO, &on));
    WANT(recv(p[0], b, 8, 0) == 5 && recv(p[0], b, 8, 0) == -1 && errno == EAGAIN);
    done(p[0], p[1]);
    return 0;
}
