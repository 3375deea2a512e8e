/* SPDX-License-Identifier: Apache-2.0 */
/* What connecting and accepting share. */
#pragma once

#include "fd/table.h"

/* Reads SO_RCVTIMEO and SO_SNDTIMEO into the description. */
void mh_socket_limits(struct mh_desc *d, int fd);
