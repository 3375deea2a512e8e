/* SPDX-License-Identifier: Apache-2.0 */
/* usleep(): not shorter than asked. */
#include "snippet.h"

int snippet_usleep(void)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    TRY(usleep(20000));
    clock_gettime(CLOCK_MONOTONIC, &to);
    WANT((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >= 20000000);
    return 0;
}
