/* SPDX-License-Identifier: Apache-2.0 */
/* The places in the interpreter at which one piece of work begins another: they tell lineage.h. For
 * this room only; mh_python_may_hand_over() of python.h puts them in place. */
#pragma once

/* Child side of fork. */
void mh_handover_after_fork(void);
