/* SPDX-License-Identifier: Apache-2.0 */
/* Dead connections; see connection.h. */
#include "fault/connection.h"

#include <errno.h>

#include "base/banned.h"

int mh_dead_error(struct mh_desc *d)
{
    int err = d->dead_err;

    d->dead_err = 0;
    return err;
}

/* tcp_recvmsg(): the error once, then the end, also of a connection that never was. */
ssize_t mh_dead_recv(struct mh_desc *d)
{
    int err = mh_dead_error(d);

    return err ? -err : 0;
}

ssize_t mh_dead_send(struct mh_desc *d)
{
    int err = mh_dead_error(d);

    return err ? -err : -EPIPE;
}
