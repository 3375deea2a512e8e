/* SPDX-License-Identifier: Apache-2.0 */
/* What was open before we came: read from the kernel into the table. For attach.c only. */
#pragma once

/* Forgets what the table holds and learns every descriptor anew: sockets with their peer and side,
 * files with their path, epoll sets with what is registered in them. All other threads stand still.
 * No locks are held, no memory is taken but the table's own. */
void mh_adopt_descriptors(void);
