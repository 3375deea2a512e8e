/* SPDX-License-Identifier: Apache-2.0 */
/* readdir64_r(): what is in a directory; it tells by its result. */
#include "snippet.h"

#include <dirent.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int snippet_readdir64_r(void)
{
    struct dirent64 entry, *e = &entry;
    int seen = 0, r;
    DIR *d;

    WANT(make_file() == 0);
    d = opendir(".");
    WANT(d);
    errno = EDOM;
    while (!(r = readdir64_r(d, &entry, &e)) && e)
        seen |= !strcmp(e->d_name, "snippet.tmp");
    WANT(errno == EDOM);
    if (r)
        return e ? -1 : r;
    WANT(seen && closedir(d) == 0);
    return 0;
}
