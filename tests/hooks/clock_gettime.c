/* SPDX-License-Identifier: Apache-2.0 */
/* clock_gettime(): the clocks go on, and say what they are. */
#include "snippet.h"

int snippet_clock_gettime(void)
{
    struct timespec from, to, other;

    TRY(clock_gettime(CLOCK_REALTIME, &from));
    TRY(clock_gettime(CLOCK_REALTIME, &to));
    TRY(clock_gettime(CLOCK_MONOTONIC, &other));
    WANT(to.tv_sec > from.tv_sec || (to.tv_sec == from.tv_sec && to.tv_nsec >= from.tv_nsec));
    WANT(from.tv_sec > other.tv_sec && from.tv_nsec >= 0 && from.tv_nsec < 1000000000);
    WANT(clock_gettime(12345, &other) == -1 && errno == EINVAL);
    return 0;
}
