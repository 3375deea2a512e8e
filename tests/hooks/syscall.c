/* SPDX-License-Identifier: Apache-2.0 */
/* syscall(): numbers that bypass libc names: a descriptor is closed, the rest passes. */
#include "snippet.h"

int snippet_syscall(void)
{
    int fd = temp_file();

    WANT(fd >= 0);
    WANT(syscall(SYS_getpid) == getpid());
    TRY((int)syscall(SYS_close, fd));
    WANT(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    WANT(syscall(SYS_close, -1) == -1 && errno == EBADF);
    return 0;
}
