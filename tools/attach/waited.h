/* SPDX-License-Identifier: Apache-2.0 */
/* How long a thread has been asleep in epoll_wait(): the kernel lets that end when the thread is
 * stopped, and where it begins anew it is to have what is left of its limit. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "attach/registers.h"

struct mh_waited {
    int64_t ns; /* before it was stopped; 0: unknown, or it is in no such wait */
    int64_t at; /* when that was seen, monotonic */
    unsigned long long sleeps;
};

/* Before the thread is stopped, and after it: then what was seen is taken back if it has slept
 * anew in between. Never longer than it was. */
void mh_waited_see(pid_t pid, pid_t tid, struct mh_waited *ret);
void mh_waited_check(pid_t pid, pid_t tid, struct mh_waited *w);

/* Takes what is over by now off the limit of the wait that will begin anew. */
void mh_waited_shorten(const struct mh_waited *w, struct mh_registers *r);
