/* SPDX-License-Identifier: Apache-2.0 */
/* What connecting, accepting and what was open already share. */
#pragma once

#include "fd/table.h"

/* Reads SO_RCVTIMEO and SO_SNDTIMEO into the description. */
void mh_socket_limits(struct mh_desc *d, int fd);

/* The port that it is bound to; 0 none. */
uint16_t mh_socket_port(int fd);

/* It listens: what it is goes into the table and, with `backlog`, into the recording. */
void mh_socket_listens(int fd, int backlog);

/* Stream, datagram, or none: what a connected socket is. */
enum mh_desc_kind mh_socket_kind(int fd);
