/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_init(): tells of what happens to a file. */
#include "snippet.h"

#include <sys/inotify.h>

int snippet_inotify_init(void)
{
    struct inotify_event e;
    int fd = inotify_init();

    TRY(fd);
    WANT(make_file() == 0 && inotify_add_watch(fd, "snippet.tmp", IN_DELETE_SELF) > 0);
    WANT(unlink("snippet.tmp") == 0 && read(fd, &e, sizeof(e)) == sizeof(e));
    close(fd);
    return 0;
}
