/* SPDX-License-Identifier: Apache-2.0 */
/* What is let go when a fault is switched off; see lift.h. */
#include "fd/lift.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "base/sys.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "python/python.h"

#include "base/banned.h"

bool mh_lifted(int fault)
{
    const struct mh_control *c = mh_guest.control;

    if (__atomic_load_n(&c->off, __ATOMIC_RELAXED) ||
        __atomic_load_n(&mh_guest.leaving, __ATOMIC_RELAXED))
        return true;
    return fault >= 0 &&
           (__atomic_load_n(&c->fault_off[fault / 64], __ATOMIC_RELAXED) >> fault % 64 & 1);
}

/* Takes out of a verdict what is lifted of it. Returns whether that held something back. */
static bool lift_verdict(struct mh_verdict *v)
{
    bool held = false;

    if (v->fault >= 0 && mh_lifted(v->fault)) {
        held = v->effects & (MH_EFFECTS_SILENT | MH_EFFECT_BIT(MH_EFFECT_rate));
        v->effects = 0;
    }
    if (v->delay_ns && v->delay_fault >= 0 && mh_lifted(v->delay_fault)) {
        held = true;
        v->delay_ns = 0;
    }
    return held;
}

static socklen_t address(const struct mh_peer *peer, struct sockaddr_storage *ret)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port)};

    if (peer->family == AF_INET) {
        memcpy(&in.sin_addr, peer->addr, sizeof(in.sin_addr));
        memcpy(ret, &in, sizeof(in));
        return sizeof(in);
    }
    if (peer->family != AF_INET6)
        return 0;
    memcpy(&in6.sin6_addr, peer->addr, sizeof(in6.sin6_addr));
    memcpy(ret, &in6, sizeof(in6));
    return sizeof(in6);
}

/* A non-blocking connect that was to fail in the end has not been begun at all. */
static void lift_connect(struct mh_desc *d, int fd, int64_t now)
{
    struct sockaddr_storage at;
    socklen_t len = address(d->peer, &at);
    long r = len ? mh_sys(SYS_connect, fd, &at, len) : -ECONNREFUSED;

    if (r == 0 || r == -EINPROGRESS)
        d->dead = MH_DEAD_no;
    d->dead_err = d->dead ? (int)-r : 0;
    if (d->out.op)
        mh_python_came(d->out.op);
    d->dead_op = d->out.op = 0; /* what comes of it now is no fault's */
    d->out.release = now;
    d->out.verdict.effects = 0;
}

void mh_lift(struct mh_desc *d, int fd, int64_t now)
{
    const struct mh_verdict *v = &d->out.verdict;

    if (d->dead == MH_DEAD_connect && d->connecting && d->out.release > now && d->peer &&
        mh_lifted(v->fault >= 0 ? v->fault : v->delay_fault))
        lift_connect(d, fd, now);
    if (d->dead)
        return;
    if (d->hole.op && mh_lifted(d->hole.fault))
        d->hole.until = MH_MIN(d->hole.until, now);
    if ((d->out.decided || d->connecting) && lift_verdict(&d->out.verdict))
        d->out.release = MH_MIN(d->out.release, now);
    if (!d->in.decided || !lift_verdict(&d->in.verdict))
        return;
    for (unsigned i = 0; i < d->nholds; i++)
        d->holds[i].release = MH_MIN(d->holds[i].release, now);
    if (d->end_release)
        d->end_release = MH_MIN(d->end_release, now);
    d->last_release = MH_MIN(d->last_release, now);
    d->flow.rate = 0;
}

bool mh_holds(const struct mh_desc *d, int64_t now)
{
    return d->hole.op || d->last_release > now || d->flow.rate ||
           ((d->out.decided || d->connecting) && d->out.release > now);
}

int mh_wait_held(int64_t until, int fault)
{
    for (;;) {
        int64_t now = mh_now();
        int r;

        if (now >= until)
            return 0;
        if (mh_lifted(fault))
            return 1;
        r = mh_wait_until(MH_MIN(until, now + MH_LIFT_TICK));
        if (r < 0)
            return r;
    }
}
