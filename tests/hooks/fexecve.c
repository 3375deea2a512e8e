/* SPDX-License-Identifier: Apache-2.0 */
/* fexecve(): a child becomes another program. */
#include "snippet.h"

int snippet_fexecve(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        fexecve((int)past(SYS_openat, AT_FDCWD, "/bin/sh", O_RDONLY), exit_seven, environ);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
