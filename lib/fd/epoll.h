/* SPDX-License-Identifier: Apache-2.0 */
/* epoll with held descriptors. A registration whose readiness must be hidden is turned into an
 * edge-triggered shadow, so that later arrivals are still stamped, and is given back as the program
 * made it at its release time, which makes the kernel report it again whatever its mode. */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

#include "fd/table.h"

/* epoll_ctl(). What it changed is known before any other thread is told an event of it: one that
 * sleeps in the set may be woken by this very call. Returns 0 or a negative errno. */
int mh_epoll_ctl(int epfd, int what, int fd, struct epoll_event *event);

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

/* What follows is for epoll_wait.c. */

/* Marks the event of our own timer in the program's set. */
#define MH_EPOLL_TIMER UINT64_C(0x6d69736861702e74)

struct mh_epoll_reg {
    int epfd, fd; /* epfd + 1: 0 = free */
    uint32_t events;
    uint64_t data;
    bool shadow;
    bool spent;    /* EPOLLONESHOT, and it was reported */
    uint64_t told; /* edge-triggered: released offset of the stream at the last report */
};

/* Of the tables: for what comes below. Never held across a wait; a description's lock is taken
 * inside it. */
bool mh_epoll_lock(void);
void mh_epoll_unlock(void);

/* The registration that an event belongs to; NULL none. */
struct mh_epoll_reg *mh_epoll_reg_of(int epfd, uint64_t data);

/* Masks a registration. */
void mh_epoll_hide(struct mh_epoll_reg *r);

/* The i-th that is masked, of all sets; NULL past the last. */
struct mh_epoll_reg *mh_epoll_hidden(unsigned i);

/* Is something masked in this set? */
bool mh_epoll_hides(int epfd);

/* Gives back what is due in this set; returns the next time at which something will be. */
int64_t mh_epoll_restore(int epfd, int64_t now);

/* Has every thread that sleeps in this set woken at this time. */
void mh_epoll_wake(int epfd, int64_t at);

/* Is there something to read that this registration has to tell? An edge is told once. */
bool mh_epoll_readable(const struct mh_epoll_reg *r, const struct mh_desc *d, int64_t now);
