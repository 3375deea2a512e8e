/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphores; see semaphores.h. Who let a waiter go is known by a small table of what is waited
 * for, into which sem_post() writes its thread: one load and one branch where nobody waits. */
#include "hooks/semaphores.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/sys.h"
#include "event/write.h"
#include "hooks/clock.h"
#include "hooks/gate.h"

#include "base/banned.h"

enum { SLOTS = 256, REACH = 16 };
static const int64_t long_wait = 100000000;

static struct {
    _Atomic uint32_t waiting[SLOTS]; /* threads, by hash of what they wait for */
    struct {
        _Atomic(const sem_t *) sem;
        _Atomic int by; /* thread that let go last */
    } slots[SLOTS];
} table;

/* sem_trywait(), which is no wait and so no hook; known from the first wait on. */
static int (*try)(sem_t *sem);

static inline unsigned hash(const sem_t *sem)
{
    return (unsigned)((uintptr_t)sem >> 5) % SLOTS;
}

bool mh_sem_take(sem_t *sem)
{
    int saved = errno;

    if (!mh_gate_open(&mh_gate.sleep) || !try)
        return false;
    if (try(sem) == 0)
        return true;
    errno = saved;
    return false;
}

struct mh_sem_wait mh_sem_begin(const sem_t *sem)
{
    struct mh_sem_wait wait = {.slot = -1};
    unsigned first = hash(sem);

    if (!mh_gate_open(&mh_gate.sleep))
        return wait;
    if (!try)
        mh_real_fetch("sem_trywait", &try, sizeof(try));
    wait.at = mh_now();
    for (unsigned i = 0; i < REACH && wait.slot < 0; i++) {
        unsigned k = (first + i) % SLOTS;
        const sem_t *none = NULL;

        if (atomic_compare_exchange_strong(&table.slots[k].sem, &none, sem)) {
            atomic_store(&table.slots[k].by, 0);
            wait.slot = (int)k;
        }
    }
    if (wait.slot >= 0)
        atomic_fetch_add(&table.waiting[first], 1);
    return wait;
}

/* A slot that was cleared by a fork since is nobody's. */
static int let_go_by(const struct mh_sem_wait *wait, const sem_t *sem)
{
    const sem_t *mine = sem;
    int by;

    if (wait->slot < 0)
        return 0;
    by = atomic_load(&table.slots[wait->slot].by);
    if (!atomic_compare_exchange_strong(&table.slots[wait->slot].sem, &mine, NULL))
        return 0;
    atomic_fetch_sub(&table.waiting[hash(sem)], 1);
    return by;
}

static void record(enum mh_call call, int64_t waited, bool limited, bool got, int by)
{
    struct mh_place place;

    mh_python_place(&place);
    if (place.stack)
        mh_event(locked, NULL, 0, .call = call, .waited_ns = waited, .limited = limited, .got = got,
                 .by = got ? by : 0, .stack = place.stack, .task = (int64_t)place.task,
                 .unit = place.unit);
}

int mh_sem_end(const struct mh_sem_wait *wait, enum mh_call call, const sem_t *sem, bool limited,
               int r)
{
    int err = r ? errno : 0, by;
    int64_t waited;

    if (!wait->at)
        return r;
    by = let_go_by(wait, sem);
    waited = mh_now() - wait->at;
    if (waited >= long_wait && (!err || err == ETIMEDOUT) && mh_gate_open(&mh_gate.sleep) &&
        mh_guest_enter()) {
        record(call, waited, limited, !r, by);
        mh_guest_leave();
    }
    if (r)
        errno = err;
    return r;
}

void mh_sem_after_fork(void)
{
    memset(&table, 0, sizeof(table));
}

MH_PUBLIC int sem_wait(sem_t *sem)
{
    struct mh_sem_wait wait;

    if (mh_sem_take(sem))
        return 0;
    wait = mh_sem_begin(sem);
    return mh_sem_end(&wait, MH_CALL_sem_wait, sem, false, MH_REAL_LATE(sem_wait)(sem));
}

MH_PUBLIC int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
    struct mh_sem_wait wait;
    struct timespec real;

    if (mh_sem_take(sem))
        return 0;
    until = mh_clock_real(MH_CALL_sem_timedwait, until, &real);
    wait = mh_sem_begin(sem);
    return mh_sem_end(&wait, MH_CALL_sem_timedwait, sem, true,
                      MH_REAL_LATE(sem_timedwait)(sem, until));
}

/* Written before it is let go: afterwards the waiter may be gone, and its semaphore, too. */
static __attribute__((noinline)) int slow_post(sem_t *sem)
{
    unsigned first = hash(sem);
    int tid = (int)mh_sys_gettid();

    for (unsigned i = 0; i < REACH; i++) {
        unsigned k = (first + i) % SLOTS;

        if (atomic_load(&table.slots[k].sem) == sem)
            atomic_store(&table.slots[k].by, tid);
    }
    return MH_REAL_LATE(sem_post)(sem);
}

/* Asked before anything that wants a stack frame, so that the real call is a jump. */
MH_PUBLIC int sem_post(sem_t *sem)
{
    bool waited = atomic_load_explicit(&table.waiting[hash(sem)], memory_order_relaxed) != 0;

    return MH_LIKELY(!waited && mh_real.sem_post) ? mh_real.sem_post(sem) : slow_post(sem);
}
