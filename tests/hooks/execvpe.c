/* SPDX-License-Identifier: Apache-2.0 */
/* execvpe(): a child becomes another program. */
#include "snippet.h"

int snippet_execvpe(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execvpe("sh", exit_seven, environ);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
