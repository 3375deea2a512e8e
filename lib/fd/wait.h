/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting to a deadline on descriptors some of which are held back: poll(), select() and blocking
 * calls all end here. Nothing is polled in a loop: the thread sleeps until the next event, release
 * or deadline. */
#pragma once

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* poll() that tells only what may be seen. timeout_ns < 0: for ever. `mask` as of ppoll(), or NULL.
 * Returns the number of ready descriptors, 0 at the deadline, or a negative errno (-EINTR). n is at
 * most MH_WAIT_MAX. `telling`: the program hears what this says, as of poll(); a blocking call that
 * will look for itself says false. */
enum { MH_WAIT_MAX = 512 };
int mh_wait(struct pollfd *fds, unsigned n, int64_t timeout_ns, const sigset_t *mask, bool telling);

/* Sleeps until the monotonic moment `until`. Returns 0, or -EINTR when a signal handler ran. */
int mh_wait_until(int64_t until);

/* Moves a descriptor of ours out of the program's sight, to a high number; returns the new one. */
int mh_fd_hide(int fd);

/* Is any of these descriptors one for which mh_wait() must be used instead of the real poll()? */
bool mh_wait_needed(const struct pollfd *fds, unsigned n);
