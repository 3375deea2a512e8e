/* SPDX-License-Identifier: Apache-2.0 */
/* socket(): a socket with its flags. */
#include "snippet.h"

int snippet_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    TRY(fd);
    WANT(fcntl(fd, F_GETFD) & FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    WANT(socket(-1, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
    return 0;
}
