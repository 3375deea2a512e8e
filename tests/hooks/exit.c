/* SPDX-License-Identifier: Apache-2.0 */
/* exit(): the status arrives. A row of musl's, whose atexit() does not tell it. */
#include "snippet.h"

int snippet_exit(void)
{
    pid_t pid = fork();

    TRY(pid);
    if (!pid)
        exit(7);
    return seven(pid);
}
