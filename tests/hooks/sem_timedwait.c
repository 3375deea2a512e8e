/* SPDX-License-Identifier: Apache-2.0 */
/* sem_timedwait(): takes what is there, or not before its time says that there was nothing. */
#include "snippet.h"

#include <semaphore.h>

int snippet_sem_timedwait(void)
{
    struct timespec until, now;
    sem_t sem;

    sem_init(&sem, 0, 1);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += until.tv_nsec / 850000000;
    until.tv_nsec = (until.tv_nsec + 150000000) % 1000000000;
    TRY(sem_timedwait(&sem, &until));
    WANT(sem_timedwait(&sem, &until) == -1 && errno == ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &now);
    WANT(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
    sem_destroy(&sem);
    return 0;
}
