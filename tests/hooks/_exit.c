/* SPDX-License-Identifier: Apache-2.0 */
/* _exit(): a child ends with its status, without what exit() does. */
#include "snippet.h"

int snippet__exit(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(7);
    WANT(pid > 0 && waitpid(pid, &status, 0) == pid);
    WANT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}
