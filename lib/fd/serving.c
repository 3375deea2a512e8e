/* SPDX-License-Identifier: Apache-2.0 */
/* See serving.h. A request that a task reads is that task's. One that a thread reads outside of any
 * task is the thread's own; once tasks are seen on the thread it is an event loop, whose next new
 * task serves the request, if that is the only one without a task. Which tasks serve is learned
 * from those that answer: a task of another kind never takes a request. */
#include "fd/serving.h"

#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fd/guest.h"

#include "base/banned.h"

enum { UNITS = 256, KNOWN = 128, KINDS = 16, TEXT = 256 };

struct unit {
    int64_t id; /* 0 free */
    uint64_t task;
    const void *thread;
    char text[TEXT];
};

static struct {
    uint32_t lock;
    unsigned high; /* no row from here on was ever used */
    struct unit units[UNITS];
    uint64_t kinds[KINDS]; /* of tasks that were seen to answer */
    unsigned nkinds;
    uint64_t older[KNOWN]; /* until then: tasks that were there while no request waited for one */
    unsigned next_older;
} work;

/* One per thread: its address says which thread it is. */
static __thread struct {
    bool loop; /* tasks were seen on it */
} self __attribute__((tls_model("initial-exec")));

void mh_serving_begin(int64_t unit, const struct mh_place *place, const char *text)
{
    if (!mh_lock(&work.lock))
        return;
    for (unsigned i = 0; i < UNITS; i++) {
        struct unit *u = &work.units[i];
        struct mh_buf b = {u->text, sizeof(u->text), 0, false};

        if (u->id)
            continue;
        u->text[0] = '\0';
        mh_buf_add(&b, text);
        u->task = place->task;
        u->thread = &self;
        u->id = unit;
        work.high = MH_MAX(work.high, i + 1);
        break;
    }
    mh_lock_open(&work.lock);
}

void mh_serving_end(int64_t unit)
{
    if (!mh_lock(&work.lock))
        return;
    for (unsigned i = 0; i < work.high; i++)
        if (work.units[i].id == unit)
            work.units[i].id = 0;
    mh_lock_open(&work.lock);
}

/* The unit of a task, or (0) the only one of this thread that no task has; *ret_n: how many. */
static struct unit *find(uint64_t task, unsigned *ret_n)
{
    struct unit *found = NULL;

    *ret_n = 0;
    for (unsigned i = 0; i < work.high; i++) {
        struct unit *u = &work.units[i];

        if (!u->id || u->task != task || (!task && u->thread != &self))
            continue;
        found = u;
        ++*ret_n;
    }
    return found;
}

static bool listed(const uint64_t *all, unsigned n, uint64_t one)
{
    for (unsigned i = 0; i < n; i++)
        if (all[i] == one)
            return true;
    return false;
}

/* Does it take the only request that waits, or is it known to serve none? */
static void task_new(const struct mh_place *place)
{
    unsigned n;
    struct unit *waiting = find(0, &n);

    if (work.nkinds ? !listed(work.kinds, KINDS, place->kind)
                    : listed(work.older, KNOWN, place->task))
        return;
    if (n == 1)
        waiting->task = place->task;
    else if (n == 0 && !work.nkinds)
        work.older[work.next_older++ % KNOWN] = place->task;
}

void mh_serving_answered(int64_t unit, const struct mh_place *place)
{
    if (!place->task || !mh_lock(&work.lock))
        return;
    for (unsigned i = 0; i < work.high; i++)
        if (work.units[i].id == unit)
            work.units[i].task = place->task;
    if (work.nkinds < KINDS && !listed(work.kinds, KINDS, place->kind))
        work.kinds[work.nkinds++] = place->kind;
    mh_lock_open(&work.lock);
}

void mh_serving_seen(const struct mh_place *place)
{
    unsigned n;

    if (!place->task)
        return;
    self.loop = true;
    if (!mh_lock(&work.lock))
        return;
    find(place->task, &n);
    if (!n)
        task_new(place);
    mh_lock_open(&work.lock);
}

const char *mh_serving_at(const struct mh_place *place)
{
    struct unit *u = NULL;
    unsigned n;

    if (place->unit)
        return mh_python_unit_name(place->unit);
    if ((!place->task && self.loop) || !mh_lock(&work.lock))
        return NULL;
    u = find(place->task, &n);
    mh_lock_open(&work.lock);
    return n == 1 ? u->text : NULL;
}

void mh_serving_after_fork(void)
{
    memset(&work, 0, sizeof(work));
}
