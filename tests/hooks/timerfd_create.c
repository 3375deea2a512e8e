/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd_create(): a clock that can be read. */
#include "snippet.h"

#include <sys/timerfd.h>

int snippet_timerfd_create(void)
{
    struct itimerspec in = {.it_value = {0, 1000000}};
    uint64_t n = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    TRY(fd);
    WANT(timerfd_settime(fd, 0, &in, NULL) == 0 && read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
    close(fd);
    return 0;
}
