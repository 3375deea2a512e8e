/* SPDX-License-Identifier: Apache-2.0 */
/* statvfs64(): the room of a file system that there is. */
#include "snippet.h"

#include <sys/statvfs.h>

int snippet_statvfs64(void)
{
    struct statvfs64 s;

    WANT(make_file() == 0);
    memset(&s, 0, sizeof(s));
    TRY(statvfs64("snippet.tmp", &s));
    WANT(s.f_frsize > 0 && s.f_bfree <= s.f_blocks);
    WANT(statvfs64("no/such/file", &s) == -1 && errno == ENOENT);
    return 0;
}
