/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP ports at which processes of a run listen, and the connections that wait there to be
 * taken: read from /proc, so that nobody notices. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { MH_LISTENERS = 512, MH_HOLDERS = 32 }; /* all of the host are looked through */

struct mh_listener {
    unsigned long inode;
    int port;
    unsigned waiting; /* connections that nobody has taken */
    pid_t holders[MH_HOLDERS];
    unsigned nholders;
};

struct mh_listeners {
    bool looked; /* false: not at all, or there were too many to say which are missing */
    int64_t at;  /* monotonic */
    struct mh_listener v[MH_LISTENERS];
    unsigned n;
};

/* Looks in the network of `app`, at sockets that it or its descendants hold. What cannot be read is
 * left out. */
void mh_listeners_look(pid_t app, struct mh_listeners *ret);
