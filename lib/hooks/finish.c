/* SPDX-License-Identifier: Apache-2.0 */
/* The common end of slow paths; see bytes.h. */
#include "hooks/bytes.h"

#include <errno.h>

#include "fd/caller.h"
#include "fd/guest.h"
#include "python/python.h"

#include "base/banned.h"

ssize_t mh_finish(ssize_t result, int64_t watch)
{
    return mh_finish_for(result, watch, 0);
}

ssize_t mh_finish_for(ssize_t result, int64_t watch, uint64_t task)
{
    if (watch) {
        errno = result < 0 ? (int)-result : 0; /* helps to tell its exception from another */
        mh_python_watch(watch, task, &(struct mh_caller){mh_thread.caller, mh_caller_object});
    }
    mh_guest_leave_errno(result < 0 ? (int)-result : 0);
    return result < 0 ? -1 : result;
}
