/* SPDX-License-Identifier: Apache-2.0 */
/* What the program is at work on: which inbound request, or task of a queue, a thread or a task of
 * its event loop serves at the moment. Kept only when a fault asks for it. Never a guess: where two
 * requests could be meant, it is unknown. */
#pragma once

#include <stdint.h>

#include "python/python.h"

/* A unit of work begins: `text` is "GET /orders/7" or the name of a task. It is that of the task of
 * `place`, else of this thread; on the thread of an event loop it is that of the next new task. */
void mh_serving_begin(int64_t unit, const struct mh_place *place, const char *text);

/* Its first answer comes from this place: such tasks serve. */
void mh_serving_answered(int64_t unit, const struct mh_place *place);

/* It has ended. */
void mh_serving_end(int64_t unit);

/* A place was taken: a task is perhaps seen for the first time. */
void mh_serving_seen(const struct mh_place *place);

/* What is served at a place of this thread; NULL unknown. Borrowed until the unit ends: read it at
 * once. */
const char *mh_serving_at(const struct mh_place *place);

/* Child side of fork: what its parent served is not its own. */
void mh_serving_after_fork(void);
