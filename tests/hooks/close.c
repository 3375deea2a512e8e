/* SPDX-License-Identifier: Apache-2.0 */
/* close(): a closed descriptor is closed, also when close() fails. */
#include "snippet.h"

int snippet_close(void)
{
    int fd = temp_file(), r;

    WANT(fd >= 0);
    r = close(fd);
    if (r < 0) {
        int err = errno;

        WANT(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
        return err;
    }
    WANT(close(fd) == -1 && errno == EBADF);
    return 0;
}
