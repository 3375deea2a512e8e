/* SPDX-License-Identifier: Apache-2.0 */
/* Is somebody at work at HOST:PORT, or at a URL? That a port listens says little: gunicorn's master
 * listens long before a worker has loaded the application. */
#pragma once

#include <stdbool.h>

struct mh_ready;

/* Resolves "host:port", ":port", "[v6]:port", or "http://host[:port][/path]". Returns 0, or a
 * negative errno: -EINVAL when it is not of that form, -EPROTONOSUPPORT for another protocol,
 * -ENOENT when the host has no address. `where` is borrowed. */
int mh_ready_new(const char *where, struct mh_ready **ret);
struct mh_ready *mh_ready_free(struct mh_ready *r);

/* Does somebody listen? Tries each address, each for at most `patience_ms`. */
bool mh_ready_listens(const struct mh_ready *r, int patience_ms);

/* Is it ready? To be asked again until it is. Of HOST:PORT that is so when a process has taken the
 * connection out of the queue in which the kernel lets it wait; where that cannot be seen, since
 * the other end is on another machine or in another network, when there is a connection. Of a URL,
 * when the answer has status 2xx, 3xx or 4xx. */
bool mh_ready_look(struct mh_ready *r, int patience_ms);

/* Does somebody listen there who takes no connection? No more may be meant by HOST:PORT. */
bool mh_ready_is_sign(const struct mh_ready *r);

enum { MH_READY_WHY = 80 };

/* How far it got, to be followed by "within TIME": "did not answer". */
void mh_ready_why(const struct mh_ready *r, char ret[MH_READY_WHY]);
