/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a connection on purpose, for both ends, and the answers that the kernel gives on such a
 * socket ever after. All functions want the description's lock held. */
#pragma once

#include <sys/types.h>

#include "fd/sever.h"

/* What recv() and send() answer on a dead connection: bytes (0) or a negative errno. */
ssize_t mh_dead_recv(struct mh_desc *d);
ssize_t mh_dead_send(struct mh_desc *d);

/* What SO_ERROR gives, once. */
int mh_dead_error(struct mh_desc *d);
