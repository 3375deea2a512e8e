/* SPDX-License-Identifier: Apache-2.0 */
/* fdatasync(): a file is flushed. */
#include "snippet.h"

int snippet_fdatasync(void)
{
    int fd = temp_file();

    WANT(fd >= 0);
    TRY(fdatasync(fd));
    close(fd);
    WANT(fdatasync(-1) == -1 && errno == EBADF);
    return 0;
}
