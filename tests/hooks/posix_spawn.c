/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn(): a child runs another program; why it does not is the result. */
#include "snippet.h"

#include <spawn.h>

int snippet_posix_spawn(void)
{
    pid_t pid = 0, other = 0;
    int err = posix_spawn(&pid, "/bin/sh", NULL, NULL, exit_seven, environ);

    if (err)
        return err;
    WANT(posix_spawn(&other, "/no/such/program", NULL, NULL, exit_seven, environ) == ENOENT);
    return seven(pid);
}
