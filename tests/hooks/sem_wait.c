/* SPDX-License-Identifier: Apache-2.0 */
/* sem_wait(): takes what is there; a signal ends the wait. */
#include "snippet.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static void nothing(int signal)
{
    (void)signal;
}

static void *interrupts(void *waiter)
{
    struct timespec pause = {0, 150000000};

    past(SYS_nanosleep, &pause, NULL);
    pthread_kill(*(pthread_t *)waiter, SIGUSR2);
    return NULL;
}

int snippet_sem_wait(void)
{
    struct sigaction act = {.sa_handler = nothing}, before;
    pthread_t me = pthread_self(), thread;
    sem_t sem;

    sem_init(&sem, 0, 1);
    TRY(sem_wait(&sem));
    WANT(sem_trywait(&sem) == -1 && errno == EAGAIN);
    sigaction(SIGUSR2, &act, &before);
    WANT(!pthread_create(&thread, NULL, interrupts, &me));
    WANT(sem_wait(&sem) == -1 && errno == EINTR);
    WANT(!pthread_join(thread, NULL));
    sigaction(SIGUSR2, &before, NULL);
    sem_destroy(&sem);
    return 0;
}
