/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of descriptors and threads, and the errors of calls that make such things. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hooks/gate.h"
#include "table/table.h"

/* Reads out of the rules what is limited. To be called before the gates are opened. */
void mh_limits_init(void);

/* One more descriptor is about to be made by this operation: 0, or -EMFILE with *watch set. As the
 * kernel does it: what counts is the number that the new descriptor would have. */
int mh_limit_fds(enum mh_op_kind kind, enum mh_call call, int64_t *watch);

/* Something else is about to be made: faults that refuse it, then budgets. Returns 0, or a negative
 * errno with *watch set. */
int mh_limit_make(enum mh_op_kind kind, enum mh_call call, int64_t *watch);

/* Inside of the guest, which it leaves. */
bool mh_limit_refused(enum mh_op_kind kind, enum mh_call call);

/* The same for whole calls: true when the call has failed; errno is set then. */
MH_INLINE bool mh_limit_refuses(enum mh_op_kind kind, enum mh_call call)
{
    return mh_gate_open(&mh_gate.fd) && mh_guest_enter() && mh_limit_refused(kind, call);
}
