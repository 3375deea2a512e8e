/* SPDX-License-Identifier: Apache-2.0 */
/* Greenlets: several stacks that one thread goes on with by turns, as gevent and eventlet use them.
 * Which of them runs is known because ours is called when one is left for another. Each is a task
 * in what is recorded, told from a coroutine by its lowest bit. For this room only. */
#pragma once

#include <stdint.h>

enum { MH_GREENLET_KIND = 1 }; /* of such a task: they have no coroutine's code */

/* The greenlet that this thread runs; 0: none, or its first one. */
uintptr_t mh_greenlet_now(void);

/* The same as a task: 0 also when it is the one that waits for descriptors on behalf of all others,
 * or when this thread has no such one. */
uint64_t mh_greenlet_here(void);

/* It waits for descriptors: that is a loop, and works for nobody. */
void mh_greenlet_looped(void);

/* The module's capsule, under the GIL: puts our functions in its places, if it is as it is known.
 */
void mh_greenlet_place(const char *capsule);
