/* SPDX-License-Identifier: Apache-2.0 */
/* fsync(): a file is flushed. */
#include "snippet.h"

int snippet_fsync(void)
{
    int fd = temp_file();

    WANT(fd >= 0);
    TRY(fsync(fd));
    close(fd);
    WANT(fsync(-1) == -1 && errno == EBADF);
    return 0;
}
