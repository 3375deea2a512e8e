/* SPDX-License-Identifier: Apache-2.0 */
/* gettimeofday(): the time of day, as clock_gettime() has it; either answer may be unwanted. */
#include "snippet.h"

int snippet_gettimeofday(void)
{
    struct timespec from, to;
    struct timeval got;
    struct timezone zone = {1, 1};

    clock_gettime(CLOCK_REALTIME, &from);
    TRY(gettimeofday(&got, NULL));
    clock_gettime(CLOCK_REALTIME, &to);
    WANT(got.tv_sec >= from.tv_sec && got.tv_sec <= to.tv_sec);
    WANT(got.tv_usec >= 0 && got.tv_usec < 1000000);
    TRY(gettimeofday(&got, &zone));
    WANT(zone.tz_dsttime == 0 || zone.tz_dsttime == 1);
    TRY(gettimeofday(NULL, NULL));
    return 0;
}
