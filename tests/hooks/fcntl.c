/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl(): flags by number, and a duplicate from a number on. */
#include "snippet.h"

int snippet_fcntl(void)
{
    char b;
    int p[2], d;

    WANT(pair(p) == 0);
    TRY(fcntl(p[0], F_SETFL, O_NONBLOCK));
    WANT(fcntl(p[0], F_GETFL) & O_NONBLOCK);
    WANT(recv(p[0], &b, 1, 0) == -1 && errno == EAGAIN);
    d = fcntl(p[0], F_DUPFD_CLOEXEC, 100);
    TRY(d);
    WANT(d >= 100 && fcntl(d, F_GETFD) & FD_CLOEXEC);
    WANT(fcntl(-1, F_GETFD) == -1 && errno == EBADF);
    close(d);
    done(p[0], p[1]);
    return 0;
}
