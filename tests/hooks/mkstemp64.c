/* SPDX-License-Identifier: Apache-2.0 */
/* mkstemp64(): a file of a name that nothing has. */
#include "snippet.h"

int snippet_mkstemp64(void)
{
    char name[] = "snippet-XXXXXX";
    struct stat st;
    int fd = mkstemp64(name);

    TRY(fd);
    WANT(!strstr(name, "XXXXXX") && stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
    WANT(write(fd, "x", 1) == 1);
    close(fd);
    unlink(name);
    strcpy(name, "too-short");
    WANT(mkstemp64(name) == -1 && errno == EINVAL);
    return 0;
}
