/* SPDX-License-Identifier: Apache-2.0 */
/* pthread_create(): a thread runs, and is told by the result, not by errno, when it cannot. */
#include "snippet.h"

#include <pthread.h>

static void *run(void *arg)
{
    *(int *)arg = 7;
    return arg;
}

int snippet_pthread_create(void)
{
    int seen = 0, err;
    pthread_t thread;
    void *back = NULL;

    errno = 77;
    err = pthread_create(&thread, NULL, run, &seen);
    WANT(errno == 77);
    if (err)
        return err;
    WANT(pthread_join(thread, &back) == 0 && seen == 7 && back == &seen);
    return 0;
}
