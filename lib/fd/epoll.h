/* SPDX-License-Identifier: Apache-2.0 */
/* epoll with held descriptors. A registration whose readiness must be hidden is turned into an
 * edge-triggered shadow, so that later arrivals are still stamped, and is given back as the program
 * made it at its release time, which makes the kernel report it again whatever its mode. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "fd/table.h"

/* epoll_ctl(). What it changed is known before any other thread is told an event of it: one that
 * sleeps in the set may be woken by this very call. Returns 0 or a negative errno. */
int mh_epoll_ctl(int epfd, int what, int fd, struct epoll_event *event);

/* epoll_wait() in all its spellings. timeout_ns < 0: for ever. Returns the number of events, 0 at
 * the deadline, or a negative errno. */
int mh_epoll_wait(int epfd, struct epoll_event *events, int max, int64_t timeout_ns,
                  const sigset_t *mask);

/* Must mh_epoll_wait() be used at all, or is nothing armed? */
bool mh_epoll_needed(void);

/* A read on fd was answered EAGAIN although the kernel has bytes: registrations that would not
 * report again (edge-triggered) are re-armed for the release. */
void mh_epoll_rearm(int fd, int64_t release);

/* Something will become of fd at `at` that the kernel does not know of: whoever waits for it then
 * is to be woken. */
void mh_epoll_watch(int fd, int64_t at);

/* fd is closed: forget its registrations, and if it is an epoll descriptor, all that are in it. */
void mh_epoll_closed(int fd);

/* A registration that was made before we came. */
void mh_epoll_adopt(int epfd, int fd, uint32_t events, uint64_t data);

/* Gives back every registration as the program made it, and forgets them all; nothing is masked any
 * more (guest.leaving). */
void mh_epoll_let_go(void);

/* Child side of fork. */
void mh_epoll_after_fork(void);
