/* SPDX-License-Identifier: Apache-2.0 */
/* The places in the interpreter at which one piece of work begins another: they tell lineage.h. For
 * this room only; mh_python_may_hand_over() of python.h puts them in place. */
#pragma once

/* Child side of fork. */
void mh_handover_after_fork(void);

/* Puts our function where another's address stands, if it can be written there, and that into
 * *ret_real, a pointer to a function. Under the GIL. */
typedef void (*mh_any_fn)(void);
void mh_handover_exchange(const char *at, mh_any_fn ours, void *ret_real);
