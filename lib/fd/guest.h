/* SPDX-License-Identifier: Apache-2.0 */
/* What this process knows of itself as a guest: the gates of the fast path, the rules in force, the
 * run's shared page, and the per-thread guard against re-entry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "control/control.h"
#include "rule/rule.h"

enum { MH_GATE_ON = 1, MH_GATE_BOOT = 2 };

/* One word per class of calls: 0 = straight to the real function. All start as MH_GATE_BOOT. */
struct mh_gates {
    uint32_t fd;     /* sockets, files, waiting, names */
    uint32_t file;   /* calls that take a path */
    uint32_t memory; /* a fault limits or refuses memory */
    uint32_t sleep;  /* requested sleeps */
    uint32_t clock;  /* a fault sets the time of day; shut until then: no such call boots */
    uint32_t look;   /* a fault concerns what is there: stat, readdir; likewise */
};
extern MH_OWN struct mh_gates mh_gate;

struct mh_guest {
    int pid;
    uint64_t ordinal;           /* of this process in the run */
    int64_t started_at;         /* monotonic */
    uint64_t epoch;             /* of the recording: grows at fork */
    uint32_t leaving;           /* the library is about to let go of this process */
    struct mh_rules *rules;     /* never NULL once the gates are on; may hold no faults; exchanged
                                 * by fd/live.c while the process runs */
    struct mh_control *control; /* likewise */
    char out[512];
};
extern MH_OWN struct mh_guest mh_guest;

struct mh_thread {
    int depth; /* of hooks under way: a nested call goes to the real function */
    int saved_errno;
    int vforked;        /* depth + 1 at vfork(): this may be the child, on the parent's memory */
    const void *caller; /* where the hook under way returns to */
};
extern __thread struct mh_thread mh_thread __attribute__((tls_model("initial-exec")));

/* Enters the slow path. False, with nothing to leave, when this thread is in it already, or this is
 * a vfork child, which must not write to memory that it shares with its parent. Keeps errno. */
bool mh_guest_begin(void);

/* The same, but in a vfork child, too: for what the child does on behalf of the parent's thread,
 * which waits, and which is the one to learn of it. What is counted and recorded is the parent's.
 */
bool mh_guest_begin_in_child(void);

/* mh_guest_begin() in the body of a hook, or a part of it that is MH_INLINE: who called it is told
 * by the address it returns to. */
MH_INLINE bool mh_guest_enter(void)
{
    if (!mh_guest_begin())
        return false;
    mh_thread.caller = __builtin_return_address(0);
    return true;
}

MH_INLINE bool mh_guest_enter_in_child(void)
{
    if (!mh_guest_begin_in_child())
        return false;
    mh_thread.caller = __builtin_return_address(0);
    return true;
}

/* Leaves it and gives errno back as it was at the entry; or sets it to err when err > 0. */
void mh_guest_leave(void);
void mh_guest_leave_errno(int err);

/* Nanoseconds since the run's origin; negative before it. */
int64_t mh_guest_run_ns(int64_t now);
