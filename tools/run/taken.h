/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a connection at its other end, when that is on this machine: read from /proc, so
 * that nobody notices. */
#pragma once

enum mh_taken {
    MH_TAKEN_UNKNOWN,  /* the other end is not to be seen from here */
    MH_TAKEN_NO,       /* it waits in the queue of whoever listens */
    MH_TAKEN_DEFERRED, /* not even there: TCP_DEFER_ACCEPT, or the queue is full */
    MH_TAKEN_YES,      /* a process has accepted it */
};

/* Of a connected TCP socket. */
enum mh_taken mh_taken(int fd);
