/* SPDX-License-Identifier: Apache-2.0 */
/* mkstemps64(): a file of a name that nothing has. */
#include "snippet.h"

int snippet_mkstemps64(void)
{
    char name[] = "snippet-XXXXXX.tmp";
    struct stat st;
    int fd = mkstemps64(name, 4);

    TRY(fd);
    WANT(!strstr(name, "XXXXXX") && stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
    WANT(write(fd, "x", 1) == 1);
    close(fd);
    unlink(name);
    strcpy(name, "too-short");
    WANT(mkstemps64(name, 4) == -1 && errno == EINVAL);
    return 0;
}
