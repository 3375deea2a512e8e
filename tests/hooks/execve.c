/* SPDX-License-Identifier: Apache-2.0 */
/* execve(): a child becomes another program, be it a copy or on its parent's memory. */
#include "snippet.h"

int snippet_execve(void)
{
    pid_t pid = vfork();
    int err;

    if (pid == 0) {
        execve("/bin/sh", exit_seven, environ);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    err = seven(pid);
    if (err)
        return err;
    pid = fork();
    if (pid == 0) {
        execve("/bin/sh", exit_seven, environ);
        _exit(100 + errno);
    }
    WANT(pid > 0);
    return seven(pid);
}
