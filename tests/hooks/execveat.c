/* SPDX-License-Identifier: Apache-2.0 */
/* execveat(): a child becomes another program. */
#include "snippet.h"

int snippet_execveat(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execveat(AT_FDCWD, "/bin/sh", exit_seven, environ, 0);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
