/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: who is at the other end of a connection, under the name that the program asked for. Peers
 * are interned for the life of the process, so pointers to them stay good. */
#pragma once

#include <sys/socket.h>

#include "rule/rule.h"

/* Remembers that `name` was resolved to this address (port 0: any port). */
void mh_peer_learn(const char *name, const struct sockaddr *addr, socklen_t len);

/* Remembers that `name` was asked for, with whatever result. */
void mh_peer_asked(const char *name);

/* Is this host, by name or address, one that the program has asked for, or a peer on that port? */
bool mh_peer_known(const char *host, size_t n, unsigned long port);

/* The port of an address of at least a family; 0 where there is none. */
uint16_t mh_peer_port(const struct sockaddr *addr, socklen_t len);

/* The log sink (enum mh_sink) behind a destination, 0 when it is none. */
int mh_sink_at(const struct sockaddr *addr, socklen_t len, bool datagram);

/* The peer at this address as client (what connect() was given) or as server (the address that
 * accept() gave; listen_port is ours). Writes its peer record at first use in this recording. NULL
 * when the family is not one that we observe or the table is full. */
struct mh_peer *mh_peer_get(enum mh_side side, const struct sockaddr *addr, socklen_t len,
                            uint16_t listen_port);

/* Is this no name, but an address in letters? */
bool mh_peer_literal(const char *name);

/* The name that the resolver answered with this peer's address; "" when there is none, or several:
 * then nobody knows which was meant. */
const char *mh_peer_resolved(const struct mh_peer *peer);

/* Makes sure that the peer's record stands in the current recording. */
void mh_peer_record(struct mh_peer *peer);

/* Stable ordinal of a new connection to this peer, from 1. */
uint64_t mh_peer_connection(struct mh_peer *peer);
