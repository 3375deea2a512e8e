/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawnp(): a child runs another program; why it does not is the result. */
#include "snippet.h"

#include <spawn.h>

int snippet_posix_spawnp(void)
{
    pid_t pid = 0, other = 0;
    int err = posix_spawnp(&pid, "sh", NULL, NULL, exit_seven, environ);

    if (err)
        return err;
    WANT(posix_spawnp(&other, "/no/such/program", NULL, NULL, exit_seven, environ) == ENOENT);
    return seven(pid);
}
