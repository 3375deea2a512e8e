/* SPDX-License-Identifier: Apache-2.0 */
/* fallocate(): a file grows by what was reserved. */
#include "snippet.h"

int snippet_fallocate(void)
{
    struct stat st;
    int fd = temp_file();

    WANT(fd >= 0);
    TRY(fallocate(fd, 0, 0, 5000));
    WANT(fstat(fd, &st) == 0 && st.st_size == 5000);
    WANT(fallocate(fd, 0, 0, -1) == -1 && errno == EINVAL);
    close(fd);
    return 0;
}
