/* SPDX-License-Identifier: Apache-2.0 */
/* Who began what: each task of an event loop, and each thing that is handed to a thread, was begun
 * by somebody. Kept in a table by the address of the object that stands for it, and recorded when
 * it is first seen to do something. For this room only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mh_lineage_kind {
    MH_LINEAGE_task = 1,
    MH_LINEAGE_item,
    MH_LINEAGE_context,
    MH_LINEAGE_thread,
};

/* This thread, whose state is `ts`, makes such an object, or hands it over. Under the GIL. */
void mh_lineage_begun(const char *ts, enum mh_lineage_kind kind, const void *object);

/* It was made by who does not say for whom. */
void mh_lineage_forget(enum mh_lineage_kind kind, const void *object);

/* This thread has taken the item out of that queue, and works for whoever put it there, until it
 * looks for the next: idle. Until the first, and with one that nobody saw put there if that is the
 * first, it works for whoever made the thread. Under the GIL. */
void mh_lineage_take(const void *queue, const void *item);
void mh_lineage_idle(const void *queue);

/* It runs in a context: for whom, if another thread made that. What this returns is to be given
 * back when it has left it. Under the GIL. */
struct mh_lineage_served {
    int64_t id; /* of the piece of work, 0 none */
    uint32_t slot;
};
struct mh_lineage_before {
    struct mh_lineage_served was, entered;
};
struct mh_lineage_before mh_lineage_enter(const void *context);
void mh_lineage_return(struct mh_lineage_before before);

/* A capture: `task` is what runs on this thread, 0 none. Any context of a capture. */
void mh_lineage_pass(uint64_t task);

/* A new recording begins, in a child of fork or not: what was begun before is not known in it. */
void mh_lineage_reset(void);
