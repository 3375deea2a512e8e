/* SPDX-License-Identifier: Apache-2.0 */
/* Waits: for timers, for locks, in vain. Part of model.h, which includes it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A wait that ran out, and the same was waited for at once: its limit is a pace, and no limit. */
enum { MH_WAIT_WENT_ON = -2 };

/* A timer of an event loop was due then, and nothing else woke it. */
struct mh_timer {
    uint32_t process, tid;
    int64_t due;
};

/* A thread waited for a semaphore, such as a lock of Python's, for 100 ms or more. */
struct mh_locked {
    uint32_t process, tid, by; /* by: the thread that let it go, 0 unknown */
    uint32_t stack, site;
    int64_t at, until;
    bool limited, got;
};
