/* SPDX-License-Identifier: Apache-2.0 */
/* When bytes become visible: arrivals on a socket are stamped as they are noticed, and may be read
 * from their release time on. All functions want the description's lock held and never block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fd/decide.h"
#include "fd/table.h"

#define MH_NEVER INT64_MAX

/* May faults on the read side, the write side or the set-up of this socket apply at all? */
static inline bool mh_stream_armed(const struct mh_desc *d)
{
    return (d->armed & (MH_OP_BIT(MH_OP_recv) | MH_OP_BIT(MH_OP_send) | MH_OP_BIT(MH_OP_connect) |
                        MH_OP_BIT(MH_OP_accept))) ||
           d->dead != MH_DEAD_no;
}

/* Notices what has arrived since the last look and gives it its release time; asks the rules for a
 * verdict when a new operation begins. */
void mh_stream_look(struct mh_desc *d, int fd, int64_t now);

/* Is the connection still being set up? Notices, and records, that it no longer is: a program need
 * not ask for SO_ERROR before it sends and receives. */
bool mh_stream_connecting(struct mh_desc *d, int fd, int64_t now);

/* How many bytes may be read now; 0 none. MH_STREAM_END: the end (EOF or error) may be seen now. */
#define MH_STREAM_END UINT64_MAX
uint64_t mh_stream_released(const struct mh_desc *d, int64_t now);

/* The next moment at which more becomes visible; MH_NEVER when nothing is held back. */
int64_t mh_stream_next(const struct mh_desc *d, int64_t now);

/* Record of the fault because of which this is not readable or writable yet (events of poll()); 0:
 * none, or nothing of ours. */
int64_t mh_stream_blame(const struct mh_desc *d, uint32_t events, int64_t now);

/* n bytes (or a datagram, or a connection) were given to the program. */
void mh_stream_consumed(struct mh_desc *d, uint64_t n);

/* How long so many bytes take at this rate, and how many of them go at once: one packet, or what a
 * fast link moves in a millisecond. A very slow one moves no more than what takes a tenth of a
 * second: small messages behind one another do not wait to be one packet. */
static inline int64_t mh_flow_ns(uint64_t n, uint64_t rate)
{
    return (int64_t)((unsigned __int128)n * 1000000000 / rate);
}

static inline uint64_t mh_flow_packet(uint64_t rate)
{
    const uint64_t packet = 1448;

    if (rate / 1000 > packet)
        return rate / 1000;
    return rate / 10 >= packet ? packet : rate / 10 ? rate / 10 : 1;
}

/* What poll()/epoll may report now, given what the kernel reports: hidden bits are taken out, those
 * of an injected state put in. *next is lowered to the time of the next change. */
uint32_t mh_stream_filter(struct mh_desc *d, int fd, uint32_t revents, int64_t now, int64_t *next);
