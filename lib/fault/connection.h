/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a connection on purpose, for both ends, and the answers that the kernel gives on such a
 * socket ever after. All functions want the description's lock held. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "fd/sever.h"

/* Does this errno mean that the connection is gone? */
bool mh_errno_is_fatal(int err);

/* From here on the program sees the end of the stream. */
void mh_connection_end(struct mh_desc *d);

/* What recv() and send() answer on a dead connection: bytes (0) or a negative errno. */
ssize_t mh_dead_recv(struct mh_desc *d);
ssize_t mh_dead_send(struct mh_desc *d);

/* What SO_ERROR gives, once. */
int mh_dead_error(struct mh_desc *d);
