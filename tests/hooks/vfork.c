/* SPDX-License-Identifier: Apache-2.0 */
/* vfork(): the child, on the parent's stack, closes and writes, and ends; the parent goes on as if
 * nothing had been touched. */
#include "snippet.h"

int snippet_vfork(void)
{
    int p[2], status = 0;
    char b = 0;
    pid_t pid;

    WANT(pair(p) == 0);
    pid = vfork();
    if (pid == 0) {
        if (write(p[0], "x", 1) != 1)
            _exit(1);
        close(p[0]); /* the child's descriptor, not the parent's */
        _exit(7);
    }
    TRY(pid);
    WANT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    WANT(recv(p[1], &b, 1, 0) == 1 && b == 'x');
    WANT(write(p[0], "y", 1) == 1 && recv(p[1], &b, 1, 0) == 1 && b == 'y');
    done(p[0], p[1]);
    return 0;
}
