/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the bytes and waits that pass through hooks into records: exchanges of a client connection,
 * inbound HTTP requests, waits with their limits, log records. Called with the result of the real
 * call; takes and releases the description's lock itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fd/table.h"

/* n bytes of iov were sent on / received from this socket. */
void mh_seen_sent(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n);
void mh_seen_received(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n);

/* A receive gave the end (err 0) or an error instead of bytes. */
void mh_seen_end(struct mh_desc *d, int err);

/* The task that waits for what was read now by its event loop; 0: who reads waits himself. */
uint64_t mh_seen_waiter(const struct mh_desc *d);

/* Should it end now, has the peer left in the middle of an answer, or without one? Not when a body
 * of no given length ends, nor when nobody had asked for anything. */
bool mh_seen_unfinished(const struct mh_desc *d);

/* A thread begins now to wait on this socket with that limit (-1 none). */
void mh_seen_wait(struct mh_desc *d, enum mh_call call, int64_t now, int64_t timeout_ns,
                  unsigned fds);

/* It ended: ready 1, 0 at the limit, -1 with err. Recorded when long or without result. */
void mh_seen_waited(struct mh_desc *d, enum mh_call call, int64_t timeout_ns, int64_t waited_ns,
                    int ready, int err, unsigned fds);

/* The last descriptor of this connection is about to go. */
void mh_seen_closed(struct mh_desc *d, int fd);

/* n bytes of a pool's message were received, or written, by this process. */
void mh_seen_job(const struct iovec *iov, size_t n, bool received);

/* n bytes of iov were sent from a socket that is not observed to this address: to a log sink? */
void mh_seen_datagram(int fd, const struct sockaddr *addr, socklen_t len, const struct iovec *iov,
                      size_t niov, size_t n);

/* n bytes were written to a log sink. */
void mh_seen_log(int sink, int fd, const void *bytes, size_t n);
