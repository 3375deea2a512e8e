/* SPDX-License-Identifier: Apache-2.0 */
/* Dead connections; see connection.h. */
#include "fault/connection.h"

#include <errno.h>

#include "base/banned.h"

bool mh_errno_is_fatal(int err)
{
    switch (err) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ECONNABORTED:
        return true;
    default:
        return false;
    }
}

void mh_connection_end(struct mh_desc *d)
{
    d->dead = MH_DEAD_eof;
    d->peer_left = true;
    d->nholds = 0;
    d->flow.rate = 0;
    d->end_release = 0;
    d->in.decided = false;
}

int mh_dead_error(struct mh_desc *d)
{
    int err = d->dead_err;

    d->dead_err = 0;
    return err;
}

/* tcp_recvmsg(): the error once, then the end; a connection that never was gives ENOTCONN. */
ssize_t mh_dead_recv(struct mh_desc *d)
{
    int err = mh_dead_error(d);

    if (err)
        return -err;
    return d->dead == MH_DEAD_connect ? -ENOTCONN : 0;
}

ssize_t mh_dead_send(struct mh_desc *d)
{
    int err = mh_dead_error(d);

    return err ? -err : -EPIPE;
}
