/* SPDX-License-Identifier: Apache-2.0 */
/* sleep(): not shorter than asked. */
#include "snippet.h"

int snippet_sleep(void)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    WANT(sleep(1) == 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    WANT((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >= 1000000000);
    return 0;
}
