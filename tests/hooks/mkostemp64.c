/* SPDX-License-Identifier: Apache-2.0 */
/* mkostemp64(): a file of a name that nothing has. */
#include "snippet.h"

int snippet_mkostemp64(void)
{
    char name[] = "snippet-XXXXXX";
    struct stat st;
    int fd = mkostemp64(name, O_CLOEXEC);

    TRY(fd);
    WANT(!strstr(name, "XXXXXX") && stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
    WANT(write(fd, "x", 1) == 1 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    unlink(name);
    strcpy(name, "too-short");
    WANT(mkostemp64(name, O_CLOEXEC) == -1 && errno == EINVAL);
    return 0;
}
