/* SPDX-License-Identifier: Apache-2.0 */
/* sem_post(): one more may pass, and who waits is woken. */
#include "snippet.h"

#include <pthread.h>
#include <semaphore.h>

static void *waits(void *sem)
{
    return sem_wait(sem) ? NULL : sem;
}

int snippet_sem_post(void)
{
    struct timespec pause = {0, 150000000};
    pthread_t thread;
    sem_t sem;
    int value;
    void *r;

    sem_init(&sem, 0, 0);
    TRY(sem_post(&sem));
    WANT(!sem_getvalue(&sem, &value) && value == 1);
    WANT(!sem_wait(&sem));
    WANT(!pthread_create(&thread, NULL, waits, &sem));
    past(SYS_nanosleep, &pause, NULL); /* a wait that is worth a record */
    TRY(sem_post(&sem));
    WANT(!pthread_join(thread, &r) && r == &sem);
    sem_destroy(&sem);
    return 0;
}
