/* SPDX-License-Identifier: Apache-2.0 */
/* See lineage.h. An address is that of another object once the first is gone, but every object of
 * these kinds is entered when it is made: an entry is that of the living one. */
#include "python/lineage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/frame.h"
#include "python/python.h"
#include "python/stack.h"
#include "python/work.h"

#include "base/banned.h"

enum { SLOTS = 1 << 12, TRIES = 8, CHAIN = 16, FRAMES = 200 };

struct piece {
    _Atomic uintptr_t object; /* 0 free */
    uint64_t by_task;         /* in which it was made */
    int64_t id, by, unit, at;
    uint32_t tid, by_slot;
    uint32_t ran_in; /* context: thread in which it has run already, 0 none */
    uint8_t kind;
    atomic_bool told;
};

static struct {
    uint32_t lock;
    atomic_bool any;
    int64_t last;
    struct piece pieces[SLOTS];
} lineage;

/* Of this thread. */
static __thread struct {
    struct mh_lineage_served piece, born; /* that it works for; that made it */
    int64_t told;                         /* the one that is recorded */
    bool looked;                          /* for what made it */
    const void *queue;                    /* from which it takes its work */
    int64_t arrived;                      /* the request whose bytes it read last */
    uint32_t tid;                         /* its id, once it was asked for */
    bool inside; /* it has the lock: a signal's handler may come to a capture */
} self;

void mh_lineage_reset(void)
{
    lineage.lock = 0;
    atomic_store(&lineage.any, false);
    for (unsigned i = 0; i < SLOTS; i++)
        if (atomic_load_explicit(&lineage.pieces[i].object, memory_order_relaxed))
            memset(&lineage.pieces[i], 0, sizeof(lineage.pieces[i]));
    self.piece = self.born = (struct mh_lineage_served){0};
    self.looked = true;
    self.told = self.arrived = 0;
    self.queue = NULL;
    self.tid = 0;
    self.inside = false;
}

static struct mh_lineage_served serves(void)
{
    return self.piece.id ? self.piece : self.born;
}

static struct piece *piece_of(struct mh_lineage_served s)
{
    struct piece *p = s.id ? &lineage.pieces[s.slot] : NULL;

    return p && p->id == s.id ? p : NULL;
}

static struct mh_lineage_served served_of(const struct piece *p)
{
    return p ? (struct mh_lineage_served){p->id, (uint32_t)(p - lineage.pieces)}
             : (struct mh_lineage_served){0};
}

static uint32_t tid(void)
{
    if (!self.tid)
        self.tid = (uint32_t)mh_sys_gettid();
    return self.tid;
}

static bool enter(void)
{
    if (self.inside || !mh_lock(&lineage.lock))
        return false;
    self.inside = true;
    return true;
}

static void leave(void)
{
    self.inside = false;
    mh_lock_open(&lineage.lock);
}

static unsigned home(uintptr_t object)
{
    return (unsigned)mh_mix(object) % SLOTS;
}

static struct piece *find(enum mh_lineage_kind kind, uintptr_t object)
{
    for (unsigned i = 0; object && i < TRIES; i++) {
        struct piece *p = &lineage.pieces[(home(object) + i) % SLOTS];

        if (atomic_load_explicit(&p->object, memory_order_relaxed) == object)
            return p->kind == kind ? p : NULL;
    }
    return NULL;
}

static bool tell_one(struct piece *p)
{
    bool ok = mh_event(begun, NULL, 0, .piece = p->id, .what = p->kind, .by = p->by,
                       .by_task = (int64_t)p->by_task,
                       .task = p->kind == MH_LINEAGE_task ? (int64_t)p->object : 0, .unit = p->unit,
                       .thread = p->tid, .begun_at = p->at);

    atomic_store_explicit(&p->told, ok, memory_order_relaxed);
    return ok;
}

/* And by whom it was begun, and so on. */
static void tell(struct piece *p)
{
    int64_t id = p->id;

    for (unsigned i = 0; i < CHAIN && p->id == id && !p->told && tell_one(p) && p->by; i++) {
        id = p->by;
        p = &lineage.pieces[p->by_slot];
    }
}

/* Its own old entry, a free one, or the oldest of those it could have. */
static struct piece *slot_for(uintptr_t object)
{
    struct piece *best = NULL;

    for (unsigned i = 0; i < TRIES; i++) {
        struct piece *p = &lineage.pieces[(home(object) + i) % SLOTS];

        if (p->object == object)
            return p;
        if (!best || (best->object && (!p->object || p->id < best->id)))
            best = p;
    }
    if (best->object && !best->told) /* it may be seen yet */
        tell(best);
    return best;
}

/* Did the event loop call a protocol with what it has read just now, and that leads here? */
static bool within_arrival(const char *ts)
{
    const char *frame = mh_frame_first(ts);
    struct mh_frame f;

    for (int i = 0; i < FRAMES && mh_frame_find(frame, &f); i++) {
        const char *name = MH_AT(char *, f.code, mh_py.at.co_name);

        if (mh_str_is(name, "data_received") || mh_str_is(name, "buffer_updated"))
            return true;
        frame = mh_frame_back(f.frame);
    }
    return false;
}

/* The unit of work that this thread is at, as far as it can be told at once. */
static int64_t unit_here(const char *ts, enum mh_lineage_kind kind, uint64_t task)
{
    int64_t unit = kind != MH_LINEAGE_task && !task ? mh_work_here(mh_frame_first(ts)) : 0;

    if (!unit && !task && !self.piece.id && self.arrived && within_arrival(ts))
        unit = self.arrived;
    return unit;
}

void mh_lineage_begun(const char *ts, enum mh_lineage_kind kind, const void *object)
{
    uint64_t task = mh_stack_task(ts);
    int64_t unit = unit_here(ts, kind, task), id;
    struct piece *by, *p;

    if (!object || !enter())
        return;
    by = task ? find(MH_LINEAGE_task, task) : piece_of(serves());
    id = ++lineage.last;
    p = slot_for((uintptr_t)object);
    *p = (struct piece){.object = (uintptr_t)object,
                        .by_task = task,
                        .id = id,
                        .by = by ? by->id : 0,
                        .by_slot = by ? (uint32_t)(by - lineage.pieces) : 0,
                        .unit = unit ? unit
                                : by ? by->unit
                                     : 0,
                        .at = mh_now(),
                        .tid = tid(),
                        .kind = (uint8_t)kind};
    atomic_store_explicit(&lineage.any, true, memory_order_relaxed);
    leave();
}

void mh_lineage_forget(enum mh_lineage_kind kind, const void *object)
{
    struct piece *p;

    if (!atomic_load_explicit(&lineage.any, memory_order_relaxed) || !enter())
        return;
    p = find(kind, (uintptr_t)object);
    if (p)
        p->object = 0;
    leave();
}

/* What made this thread, as soon as its first capture. */
static void look(void)
{
    self.looked = true;
    if (!enter())
        return;
    self.born = served_of(find(MH_LINEAGE_thread, (uintptr_t)pthread_self()));
    leave();
}

void mh_lineage_take(const void *queue, const void *item)
{
    if (!self.looked)
        look();
    if (!atomic_load_explicit(&lineage.any, memory_order_relaxed) || !enter())
        return;
    self.piece = served_of(find(MH_LINEAGE_item, (uintptr_t)item));
    if (self.piece.id || self.queue)
        self.born.id = 0;
    self.queue = queue;
    leave();
}

void mh_lineage_idle(const void *queue)
{
    if (self.queue != queue)
        return;
    self.piece.id = self.born.id = 0;
}

/* A loop runs each callback in a context: no lock here. Entries change under the GIL, which we
 * have.
 */
struct mh_lineage_before mh_lineage_enter(const void *context)
{
    struct mh_lineage_before before = {.was = self.piece};
    struct piece *p = atomic_load_explicit(&lineage.any, memory_order_relaxed)
                          ? find(MH_LINEAGE_context, (uintptr_t)context)
                          : NULL;

    if (p && p->tid != tid() && p->ran_in != tid()) {
        self.piece = before.entered = served_of(p);
    }
    return before;
}

void mh_lineage_return(struct mh_lineage_before before)
{
    struct piece *p = piece_of(before.entered);

    /* What was copied for another thread runs there once and is gone. A context that C code makes
     * for a task, of which nobody tells, may lie there next. */
    if (p)
        p->ran_in = tid();
    self.piece = before.was;
}

static void pass_task(uint64_t task)
{
    struct piece *p = find(MH_LINEAGE_task, task);

    if (MH_LIKELY(!p || p->told) || !enter())
        return;
    if (p->object == task)
        tell(p);
    leave();
}

void mh_lineage_pass(uint64_t task)
{
    struct mh_lineage_served now;
    struct piece *p;

    if (!atomic_load_explicit(&lineage.any, memory_order_relaxed))
        return;
    if (task) {
        pass_task(task);
        return;
    }
    if (MH_UNLIKELY(!self.looked))
        look();
    now = serves();
    if (MH_LIKELY(self.told == now.id) || !enter())
        return;
    p = piece_of(now);
    if (p && !p->told)
        tell(p);
    if (mh_event(serves, NULL, 0, .piece = now.id))
        self.told = now.id;
    leave();
}

void mh_python_arrived(int64_t unit)
{
    self.arrived = unit;
}
