/* SPDX-License-Identifier: Apache-2.0 */
/* popen(): what a command says can be read. */
#include "snippet.h"

int snippet_popen(void)
{
    char b[8] = "";
    FILE *f = popen("echo hello; exit 7", "r");
    int status;

    if (!f)
        return errno;
    WANT(fgets(b, sizeof(b), f) && !strcmp(b, "hello\n"));
    status = pclose(f);
    WANT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}
