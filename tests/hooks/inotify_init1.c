/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_init1(): with its flags. */
#include "snippet.h"

#include <sys/inotify.h>

int snippet_inotify_init1(void)
{
    char b[64];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    TRY(fd);
    WANT(fcntl(fd, F_GETFD) & FD_CLOEXEC && read(fd, b, sizeof(b)) == -1 && errno == EAGAIN);
    close(fd);
    return 0;
}
