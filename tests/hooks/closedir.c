/* SPDX-License-Identifier: Apache-2.0 */
/* closedir(): the descriptor is closed, and another may have its number. */
#include "snippet.h"

#include <dirent.h>

int snippet_closedir(void)
{
    DIR *d = opendir(".");
    int fd, again;

    WANT(d);
    fd = dirfd(d);
    TRY(closedir(d));
    WANT(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    again = temp_file();
    WANT(again == fd && close(again) == 0);
    return 0;
}
