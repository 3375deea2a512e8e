/* SPDX-License-Identifier: Apache-2.0 */
/* posix_fallocate(): tells by its result, not by errno, and a file grows. */
#include "snippet.h"

int snippet_posix_fallocate(void)
{
    struct stat st;
    int fd = temp_file(), err;

    WANT(fd >= 0);
    errno = 77;
    err = posix_fallocate(fd, 0, 5000);
    if (err && err != EINTR)
        WANT(errno == 77);
    if (err)
        return err;
    WANT(fstat(fd, &st) == 0 && st.st_size == 5000);
    WANT(posix_fallocate(fd, 0, -1) == EINVAL);
    close(fd);
    return 0;
}
