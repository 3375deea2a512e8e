/* SPDX-License-Identifier: Apache-2.0 */
/* The slow paths that all spellings of receiving, sending, reading and writing share. Entered with
 * mh_guest_enter() done; each leaves the guest and sets errno. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "fd/table.h"

ssize_t mh_recv(enum mh_call call, int fd, struct msghdr *msg, int flags);
ssize_t mh_send(enum mh_call call, int fd, const struct msghdr *msg, int flags);

/* One buffer as a message; where it came from goes to *addr and *len, unless NULL. */
ssize_t mh_receive(enum mh_call call, int fd, void *buf, size_t n, int flags);
ssize_t mh_receive_from(enum mh_call call, int fd, void *buf, size_t n, int flags,
                        struct sockaddr *addr, socklen_t *len);

/* From a socket or a file, as read() does. */
ssize_t mh_read_any(enum mh_call call, int fd, const struct iovec *iov, int n);

/* Is a copy inside of the kernel to this descriptor refused? errno is set then. Enters the guest
 * itself. */
bool mh_sendfile_refused(int to);

/* Bytes of a file or log sink. at: offset of pread/pwrite, or -1. */
ssize_t mh_file_read(enum mh_call call, int fd, const struct iovec *iov, int niov, int64_t at);
ssize_t mh_file_write(enum mh_call call, int fd, const struct iovec *iov, int niov, int64_t at);

/* fd is about to be closed or replaced; or it is new, and what we knew of its number went by a way
 * that we do not see (libuv closes with syscall()). */
void mh_fd_forget(int fd);

/* Ends a slow path: a negative errno becomes -1 and errno; watch: op whose exception is followed.
 */
ssize_t mh_finish(ssize_t result, int64_t watch);

/* The same of a call that an event loop may have made for this task; 0 it did not. */
ssize_t mh_finish_for(ssize_t result, int64_t watch, uint64_t task);
