/* SPDX-License-Identifier: Apache-2.0 */
/* fork(): a child that ends, and a parent that learns how. */
#include "snippet.h"

int snippet_fork(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(7);
    TRY(pid);
    WANT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}
