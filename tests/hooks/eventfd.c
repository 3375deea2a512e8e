/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(): a counter with its flags. */
#include "snippet.h"

#include <sys/eventfd.h>

int snippet_eventfd(void)
{
    uint64_t n = 0;
    int fd = eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK);

    TRY(fd);
    WANT(read(fd, &n, sizeof(n)) == sizeof(n) && n == 3);
    WANT(read(fd, &n, sizeof(n)) == -1 && errno == EAGAIN);
    close(fd);
    return 0;
}
