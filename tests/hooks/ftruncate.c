/* SPDX-License-Identifier: Apache-2.0 */
/* ftruncate(): a file is cut. */
#include "snippet.h"

int snippet_ftruncate(void)
{
    struct stat st;
    int fd = temp_file();

    WANT(fd >= 0);
    TRY(ftruncate(fd, 3));
    WANT(fstat(fd, &st) == 0 && st.st_size == 3);
    close(fd);
    return 0;
}
