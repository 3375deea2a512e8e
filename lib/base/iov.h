/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of bytes: what receiving, sending, reading and writing do alike with them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { MH_IOV_MAX = 64 }; /* pieces of a capped vector; to move fewer bytes is legal */

/* How many bytes the n pieces hold. */
size_t mh_iov_total(const struct iovec *iov, size_t n);

/* Copies the first pieces to `to`, at most `cap` bytes in all. Returns how many pieces that are. */
size_t mh_iov_cap(const struct iovec *iov, size_t n, uint64_t cap, struct iovec to[MH_IOV_MAX]);
