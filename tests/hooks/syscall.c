/* SPDX-License-Identifier: Apache-2.0 */
/* syscall(): numbers do what their names do; a ring is set up by no name. */
#include "snippet.h"

/* What the kernel says to one without parameters is no failure of ours. */
static int ring(void)
{
    int said, by_kernel;

    WANT(syscall(SYS_io_uring_setup, 1, NULL) == -1);
    said = errno;
    WANT(past(SYS_io_uring_setup, 1, NULL) == -1);
    by_kernel = errno;
    return said == by_kernel ? 0 : said;
}

int snippet_syscall(void)
{
    char b[16] = "";
    int p[2], fd;

    WANT(make_file() == 0 && pair(p) == 0);
    WANT(syscall(SYS_getpid) == getpid());
    fd = (int)syscall(SYS_openat, AT_FDCWD, "snippet.tmp", O_RDWR | O_CLOEXEC);
    WANT(fd >= 0 && syscall(SYS_read, fd, b, 5) == 5 && !strcmp(b, "hello"));
    WANT(syscall(SYS_pread64, fd, b, 5, 6L) == 5 && !strcmp(b, "world"));
    WANT(syscall(SYS_sendto, p[0], "ping", 4, 0, NULL, 0) == 4);
    WANT(syscall(SYS_recvfrom, p[1], b, 16, 0, NULL, NULL) == 4 && !memcmp(b, "ping", 4));
    TRY((int)syscall(SYS_close, fd));
    WANT(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    WANT(syscall(SYS_close, -1) == -1 && errno == EBADF);
    done(p[0], p[1]);
    return ring();
}
