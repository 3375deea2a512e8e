/* SPDX-License-Identifier: Apache-2.0 */
/* Which run of a task a stack belongs to: works.def names the functions of task queues whose frames
 * stand for one run; its id is read from the frame. For this room only; what others may ask is in
 * python.h. Same context as a capture: no GIL, no malloc, no lock that is waited for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mh_work {
    uint8_t row;   /* of works.def plus 1; 0: no task */
    uint8_t depth; /* of its frame among the Python frames, innermost 0 */
    bool over;     /* made when the run's work is done: OVER in works.def */
};

/* Looks for such a frame among the innermost `frames` from `first` outwards; the outermost counts.
 * Texts only: the answer is the same for every stack that looks like this one. */
struct mh_work mh_work_find(const char *first, int frames);

/* The unit of work of this very stack, whose begin is recorded when it is new. 0: not to be told.
 */
int64_t mh_work_unit(const char *first, struct mh_work work, uint32_t stack);

/* The unit of the run that the frames from `first` outwards belong to, if its begin was recorded;
 * else 0. */
int64_t mh_work_here(const char *first);

/* Forgets what the parent's units were (child side of fork). */
void mh_work_reset(void);
