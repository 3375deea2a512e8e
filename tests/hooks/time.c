/* SPDX-License-Identifier: Apache-2.0 */
/* time(): seconds of the time of day, in both of its places. */
#include "snippet.h"

int snippet_time(void)
{
    struct timespec now;
    time_t got, also = 0;

    got = time(&also);
    clock_gettime(CLOCK_REALTIME, &now);
    WANT(got == also && now.tv_sec - got >= 0 && now.tv_sec - got <= 1);
    WANT(time(NULL) >= got);
    return 0;
}
