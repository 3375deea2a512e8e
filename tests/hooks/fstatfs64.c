/* SPDX-License-Identifier: Apache-2.0 */
/* fstatfs64(): the room of a file system that there is. */
#include "snippet.h"

#include <sys/statfs.h>

int snippet_fstatfs64(void)
{
    struct statfs64 s;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&s, 0, sizeof(s));
    TRY(fstatfs64(fd, &s));
    WANT(s.f_bsize > 0 && s.f_bfree <= s.f_blocks);
    WANT(fstatfs64(-1, &s) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
