/* SPDX-License-Identifier: Apache-2.0 */
/* execvp(): a child becomes another program. */
#include "snippet.h"

int snippet_execvp(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execvp("sh", exit_seven);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
