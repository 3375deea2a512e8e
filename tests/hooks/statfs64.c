/* SPDX-License-Identifier: Apache-2.0 */
/* statfs64(): the room of a file system that there is. */
#include "snippet.h"

#include <sys/statfs.h>

int snippet_statfs64(void)
{
    struct statfs64 s;

    WANT(make_file() == 0);
    memset(&s, 0, sizeof(s));
    TRY(statfs64("snippet.tmp", &s));
    WANT(s.f_bsize > 0 && s.f_bfree <= s.f_blocks);
    WANT(statfs64("no/such/file", &s) == -1 && errno == ENOENT);
    return 0;
}
