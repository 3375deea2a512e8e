/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does after a transfer that moved fewer bytes than it asked for: does it come back
 * for the rest, or go on? Calls are told by their thread and by the first bytes that they move;
 * none of these bytes leaves the process. What became of it is one `rest` record. For hooks that
 * move bytes or wait; async-signal-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "fd/table.h"

/* A transfer of this kind moved `moved` bytes of iov, which is less than all; op: its record, 0
 * none yet. at: offset in the file, -1 where the descriptor stands. */
void mh_rest_begin(struct mh_desc *d, enum mh_op_kind kind, int fd, const struct iovec *iov,
                   size_t niov, uint64_t moved, int64_t op, int64_t at);

/* A transfer of this kind is about to be tried. */
void mh_rest_next(struct mh_desc *d, enum mh_op_kind kind, const struct iovec *iov, size_t niov);

/* The program waits for what the peer says, or until it may send on. */
void mh_rest_listens(struct mh_desc *d);
void mh_rest_awaits(struct mh_desc *d);

/* Nothing more will come: the last descriptor is closed, or the process ends. */
void mh_rest_end(struct mh_desc *d);
void mh_rest_leave(void);
