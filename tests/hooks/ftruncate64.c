/* SPDX-License-Identifier: Apache-2.0 */
/* ftruncate64(): a file is cut. */
#include "snippet.h"

int snippet_ftruncate64(void)
{
    struct stat st;
    int fd = temp_file();

    WANT(fd >= 0);
    TRY(ftruncate64(fd, 3));
    WANT(fstat(fd, &st) == 0 && st.st_size == 3);
    close(fd);
    return 0;
}
