/* SPDX-License-Identifier: Apache-2.0 */
/* opendir(): a directory lists what is in it. */
#include "snippet.h"

#include <dirent.h>

int snippet_opendir(void)
{
    struct dirent *e;
    int seen = 0;
    DIR *d;

    WANT(make_file() == 0);
    d = opendir(".");
    if (!d)
        return errno;
    while ((e = readdir(d)))
        seen |= !strcmp(e->d_name, "snippet.tmp");
    WANT(seen && closedir(d) == 0);
    WANT(!opendir("no/such/directory") && errno == ENOENT);
    return 0;
}
