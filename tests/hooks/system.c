/* SPDX-License-Identifier: Apache-2.0 */
/* system(): a shell runs a command. */
#include "snippet.h"

int snippet_system(void)
{
    int status = system("exit 7");

    TRY(status);
    WANT(WIFEXITED(status) && WEXITSTATUS(status) == 7 && system(NULL) == 1);
    return 0;
}
