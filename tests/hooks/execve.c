/* SPDX-License-Identifier: Apache-2.0 */
/* execve(): a child becomes another program. */
#include "snippet.h"

int snippet_execve(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execve("/bin/sh", exit_seven, environ);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
