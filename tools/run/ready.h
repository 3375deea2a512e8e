/* SPDX-License-Identifier: Apache-2.0 */
/* Asks whether somebody listens at HOST:PORT. */
#pragma once

struct addrinfo;

/* Resolves "host:port", ":port" or "[v6]:port". Returns 0, or a negative errno: -EINVAL when it is
 * not of that form, -ENOENT when the host has no address. Caller frees with freeaddrinfo(). */
int mh_ready_resolve(const char *where, struct addrinfo **ret);

/* Tries each address, each for at most `patience_ms`. Returns 1 when one takes a connection, else
 * 0. The connection is closed at once. */
int mh_ready_probe(const struct addrinfo *where, int patience_ms);
