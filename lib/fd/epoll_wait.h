/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting on an epoll set in which descriptors may be held back. What is masked is in epoll.h. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>

/* epoll_wait() in all its spellings. timeout_ns < 0: for ever. Returns the number of events, 0 at
 * the deadline, or a negative errno. */
int mh_epoll_wait(int epfd, struct epoll_event *events, int max, int64_t timeout_ns,
                  const sigset_t *mask);
