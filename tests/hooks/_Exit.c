/* SPDX-License-Identifier: Apache-2.0 */
/* _Exit(): a child ends with its status, without what exit() does. */
#include "snippet.h"

int snippet__Exit(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _Exit(7);
    WANT(pid > 0);
    return seven(pid);
}
