/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl64(): flags by number, and a duplicate from a number on. */
#include "snippet.h"

int snippet_fcntl64(void)
{
    char b;
    int p[2], d;

    WANT(pair(p) == 0);
    TRY(fcntl64(p[0], F_SETFL, O_NONBLOCK));
    WANT(fcntl64(p[0], F_GETFL) & O_NONBLOCK);
    WANT(recv(p[0], &b, 1, 0) == -1 && errno == EAGAIN);
    d = fcntl64(p[0], F_DUPFD_CLOEXEC, 100);
    TRY(d);
    WANT(d >= 100 && fcntl64(d, F_GETFD) & FD_CLOEXEC);
    WANT(fcntl64(-1, F_GETFD) == -1 && errno == EBADF);
    close(d);
    done(p[0], p[1]);
    return 0;
}
