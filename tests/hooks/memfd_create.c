/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create(): a file without a name. */
#include "snippet.h"

int snippet_memfd_create(void)
{
    char b[4] = "";
    int fd = memfd_create("snippet", MFD_CLOEXEC);

    TRY(fd);
    WANT(write(fd, "abc", 3) == 3 && pread(fd, b, 3, 0) == 3 && !strcmp(b, "abc"));
    close(fd);
    return 0;
}
