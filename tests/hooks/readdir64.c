/* SPDX-License-Identifier: Apache-2.0 */
/* readdir64(): what is in a directory; errno is as it was at its end. */
#include "snippet.h"

#include <dirent.h>

int snippet_readdir64(void)
{
    struct dirent64 *e;
    int seen = 0;
    DIR *d;

    WANT(make_file() == 0);
    d = opendir(".");
    WANT(d);
    errno = 0;
    while ((e = readdir64(d)))
        seen |= !strcmp(e->d_name, "snippet.tmp");
    if (errno)
        return errno;
    errno = EDOM;
    WANT(!readdir64(d) && errno == EDOM);
    WANT(seen && closedir(d) == 0);
    return 0;
}
