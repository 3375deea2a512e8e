/* SPDX-License-Identifier: Apache-2.0 */
/* Native frames of the calling thread: for threads that no interpreter knows (librdkafka's, libuv's
 * pool) and for allocations that were refused, which an interpreter may not survive. No malloc, no
 * hooked call; one thread at a time, the others go without. */
#pragma once

#include <stdint.h>

/* Id of a stack record of this thread's frames outside of this library, written at its first use; 0
 * when there is none to be had. Some 10 to 100 us: for what is rare only. */
uint32_t mh_native_stack(void);

/* Child side of fork: ids start anew in a new recording; if another thread was at it when the fork
 * came, the child does without for good. */
void mh_native_after_fork(void);
