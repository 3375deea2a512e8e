/* SPDX-License-Identifier: Apache-2.0 */
/* State of the guest and the guard of its slow path; see guest.h. */
#include "fd/guest.h"

#include <errno.h>

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

struct mh_gates mh_gate = {MH_GATE_BOOT, MH_GATE_BOOT, MH_GATE_BOOT, MH_GATE_BOOT, 0, 0};
struct mh_guest mh_guest;
__thread struct mh_thread mh_thread;

static bool begin(bool in_child)
{
    /* A vfork child runs on its parent's memory and thread, with another pid. Our vfork() has left
     * a mark; the first call of the parent afterwards takes it away, and the depth that a child has
     * left which was killed in a hook. A fork child was renamed by the atfork handler before
     * anything else could run. */
    if (MH_UNLIKELY(mh_thread.vforked)) {
        if (mh_sys_getpid() == mh_guest.pid) {
            mh_thread.depth = mh_thread.vforked - 1;
            mh_thread.vforked = 0;
        } else if (!in_child) {
            return false;
        }
    }
    if (mh_thread.depth)
        return false;
    mh_thread.depth = 1;
    mh_thread.saved_errno = errno;
    return true;
}

bool mh_guest_begin(void)
{
    return begin(false);
}

bool mh_guest_begin_in_child(void)
{
    return begin(true);
}

void mh_guest_leave(void)
{
    errno = mh_thread.saved_errno;
    mh_thread.depth = 0;
}

void mh_guest_leave_errno(int err)
{
    errno = err > 0 ? err : mh_thread.saved_errno;
    mh_thread.depth = 0;
}

int64_t mh_guest_run_ns(int64_t now)
{
    int64_t origin = __atomic_load_n(&mh_guest.control->origin_at, __ATOMIC_RELAXED);

    return origin ? now - origin : -1;
}
