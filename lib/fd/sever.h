/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting connections: for both ends at once, with a reset, or without a word, into a hole. All
 * functions want the description's lock held and never block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fd/table.h"

/* Kills the connection: a TCP peer gets a real RST, a unix peer sees it closed. `err` is what the
 * program has yet to be told, 0 when the caller tells it at once. `op` is the record that says why;
 * the errors that the program meets on this connection from here on are its consequences. */
void mh_connection_kill(struct mh_desc *d, int fd, int err, int64_t op);

/* From here on the program sees the end of the stream; `op` as above, 0 when it is told at once. */
void mh_connection_end(struct mh_desc *d, int fd, int64_t op);

/* Does this errno mean that the connection is gone? It comes from the network, so a program that
 * waits meets it when it looks, not when it asked. */
bool mh_errno_is_fatal(int err);

/* Has what is about to be seen of this connection been fated to end it? Then it ends now, before
 * the program is told that there is something to read: as after a real RST, poll() says so,
 * SO_ERROR holds it, and sending fails. False, and nothing is done, for other verdicts. To be asked
 * after mh_stream_look() or mh_stream_filter(). */
bool mh_connection_strike(struct mh_desc *d, int fd, int64_t now);

/* The path to the peer is a black hole until the monotonic moment `until`; `op` is the record of
 * what `fault` did. */
void mh_hole_begin(struct mh_desc *d, int fault, int64_t until, int64_t op);

/* Is it one now? First lets go of what is held back by faults that were lifted (fd/lift.h), and
 * ends a hole whose time is over: a connection into which nothing was sent goes on, the others are
 * dead. */
bool mh_hole_settle(struct mh_desc *d, int fd, int64_t now);

/* How many of these bytes a send() into the hole takes: as many as the kernel would buffer for a
 * peer that does not answer. 0: full, not writable. */
uint64_t mh_hole_swallow(struct mh_desc *d, int fd, uint64_t n, int64_t now);
bool mh_hole_full(const struct mh_desc *d);
