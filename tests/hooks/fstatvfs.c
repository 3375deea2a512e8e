/* SPDX-License-Identifier: Apache-2.0 */
/* fstatvfs(): the room of a file system that there is. */
#include "snippet.h"

#include <sys/statvfs.h>

int snippet_fstatvfs(void)
{
    struct statvfs s;
    int fd = temp_file();

    WANT(fd >= 0);
    memset(&s, 0, sizeof(s));
    TRY(fstatvfs(fd, &s));
    WANT(s.f_frsize > 0 && s.f_bfree <= s.f_blocks);
    WANT(fstatvfs(-1, &s) == -1 && errno == EBADF);
    close(fd);
    return 0;
}
