/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to descriptors: close, dup and their kin keep the table true. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>

#include "base/libc.h"
#include "base/sys.h"
#include "fd/decide.h"
#include "fd/epoll.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/sever.h"
#include "hooks/bytes.h"
#include "hooks/files.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

void mh_fd_forget(int fd)
{
    struct mh_desc *d = mh_fd_get(fd);

    if (!d)
        return;
    if (d->refs == 1) {
        mh_rest_end(d);
        mh_seen_closed(d, fd);
    }
    mh_epoll_closed(fd);
    mh_desc_free(mh_fd_drop(fd));
}

int mh_close_fault(enum mh_call call, int fd, int64_t *watch)
{
    struct mh_desc *d = mh_fd_get(fd);
    struct mh_place place;
    struct mh_verdict v;

    *watch = 0;
    if (!d || !(d->armed & MH_OP_BIT(MH_OP_close)) || !d->path)
        return 0;
    mh_python_place(&place);
    if (!mh_decide(d, MH_OP_close, &place, 0, &v) || !(v.effects & MH_EFFECT_BIT(MH_EFFECT_error)))
        return 0;
    *watch = mh_record(&(struct mh_story){.kind = MH_OP_close,
                                          .call = call,
                                          .fd = fd,
                                          .d = d,
                                          .result = -1,
                                          .err = v.error,
                                          .timeout_ns = -1,
                                          .verdict = &v,
                                          .effect = MH_EFFECT_error,
                                          .place = &place});
    return *watch ? -v.error : 0;
}

MH_PUBLIC int close(int fd)
{
    int64_t watch = 0;
    struct mh_desc *d;
    int r, err = 0;

    if (!mh_gate_fd(fd))
        return mh_real.close ? mh_real.close(fd) : (int)mh_sys(SYS_close, fd);
    d = mh_fd_get(fd);
    err = mh_close_fault(MH_CALL_close, fd, &watch);
    if (d && d->refs == 1 && d->hole.op && d->hole.swallowed && mh_desc_lock(d)) {
        mh_connection_kill(d, fd, 0, d->hole.op); /* not a FIN, as if that were all */
        mh_desc_unlock(d);
    }
    mh_fd_forget(fd);
    r = (int)mh_sys(SYS_close, fd); /* an error of close() does not leave the descriptor open */
    return (int)mh_finish(err ? err : r, watch);
}

static void forget_range(unsigned first, unsigned last)
{
    unsigned top = (unsigned)mh_fd_top();

    for (unsigned fd = first; fd <= last && fd < top; fd++)
        if (mh_fd_kind[fd])
            mh_fd_forget((int)fd);
}

MH_PUBLIC int close_range(unsigned first, unsigned last, int flags)
{
    if (mh_gate_open(&mh_gate.fd) && !(flags & (int)CLOSE_RANGE_CLOEXEC) && mh_guest_enter()) {
        forget_range(first, last);
        mh_guest_leave();
    }
    if (mh_real.close_range)
        return mh_real.close_range(first, last, flags);
    {
        long r = mh_sys(SYS_close_range, first, last, flags);

        if (r < 0)
            errno = (int)-r;
        return r < 0 ? -1 : 0;
    }
}

MH_PUBLIC void closefrom(int first)
{
    if (mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        forget_range((unsigned)first, ~0u);
        mh_guest_leave();
    }
    if (mh_real.closefrom)
        mh_real.closefrom(first);
    else
        mh_sys(SYS_close_range, first, ~0u, 0);
}

/* A duplicate was made. */
static int shared(int from, int to)
{
    if (to >= 0 && from != to && mh_gate_open(&mh_gate.fd) &&
        ((unsigned)from < MH_FD_MAX && (unsigned)to < MH_FD_MAX) &&
        (mh_fd_kind[from] || mh_fd_kind[to]) && mh_guest_enter()) {
        if (mh_fd_kind[to])
            mh_fd_forget(to);
        mh_fd_share(from, to);
        mh_guest_leave();
    }
    return to;
}

MH_PUBLIC int dup(int fd)
{
    if (mh_limit_refuses(MH_OP_descriptor, MH_CALL_dup))
        return -1;
    return shared(fd, MH_REAL(dup)(fd));
}

MH_PUBLIC int dup2(int fd, int to)
{
    return shared(fd, MH_REAL(dup2)(fd, to));
}

MH_PUBLIC int dup3(int fd, int to, int flags)
{
    return shared(fd, MH_REAL(dup3)(fd, to, flags));
}
