/* SPDX-License-Identifier: Apache-2.0 */
/* nanosleep(): not shorter than asked. */
#include "snippet.h"

int snippet_nanosleep(void)
{
    struct timespec t = {0, 20000000}, from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    TRY(nanosleep(&t, NULL));
    clock_gettime(CLOCK_MONOTONIC, &to);
    WANT((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >= 20000000);
    return 0;
}
