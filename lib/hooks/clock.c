/* SPDX-License-Identifier: Apache-2.0 */
/* The time of day, as if somebody had set the clock. All threads of a process are told the same,
 * and it is on record before the first of them is told. Clocks that only count are left alone. */
#include "hooks/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "base/hash.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"
#include "fd/live.h"
#include "hooks/gate.h"

#include "base/banned.h"

enum { SECOND = 1000000000 };

static struct {
    _Atomic int64_t step;    /* what the program is told now */
    _Atomic uint64_t window; /* of the fault that does it; 0 none, or not yet on record */
    atomic_bool busy;        /* one thread changes it, the others go on with what is */
    int64_t ends_at;         /* of that window */
} set;

void mh_clock_after_fork(void)
{
    set.window = 0; /* the child has a recording of its own */
    set.busy = false;
}

static bool is_wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
           clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

static int real_gettime(clockid_t clock, struct timespec *ret)
{
    long r;

    if (MH_LIKELY(mh_real.clock_gettime != NULL))
        return mh_real.clock_gettime(clock, ret);
    r = mh_sys(SYS_clock_gettime, clock, ret); /* before the constructor: others' constructors */
    if (r < 0)
        errno = (int)-r;
    return r < 0 ? -1 : 0;
}

/* On record first; nothing is set that could not be recorded. */
static void change(enum mh_call call, const struct mh_verdict *v, uint64_t window)
{
    int64_t now = mh_now(), at = set.ends_at;
    struct mh_place place;

    if (v->fault >= 0) {
        mh_python_place(&place);
        if (!mh_record(&(struct mh_story){.kind = MH_OP_clock,
                                          .call = call,
                                          .fd = -1,
                                          .timeout_ns = -1,
                                          .verdict = v,
                                          .effect = MH_EFFECT_step,
                                          .place = &place}))
            return;
        __atomic_add_fetch(&mh_guest.control->fired[v->fault], 1, __ATOMIC_RELAXED);
        at = mh_window_begin((unsigned)v->fault, now);
        set.ends_at = mh_window_end((unsigned)v->fault, now);
    }
    mh_event(clock, NULL, 0, .ahead = v->step_ns, .set_at = at < now ? at : now,
             .fault = v->fault + 1);
    set.step = v->step_ns;
    set.window = window;
}

/* How much later than it is the program is told that it is. In a hook, or in a signal handler that
 * came into one: as it was told last. */
static int64_t step_now(enum mh_call call)
{
    static const struct mh_place nowhere;
    struct mh_verdict v = {.fault = -1};
    uint64_t window = 0;

    if (!mh_guest_begin())
        return set.step;
    if (mh_decide_kept(MH_OP_clock, NULL, &nowhere, &v) && v.step_ns)
        window = mh_mix2(mh_mix2((uint64_t)v.fault, (uint64_t)v.step_ns),
                         (uint64_t)mh_rules_phase(mh_guest.rules, mh_guest_run_ns(mh_now()))) |
                 1;
    else
        v = (struct mh_verdict){.fault = -1};
    if ((window != set.window || v.step_ns != set.step) && !atomic_exchange(&set.busy, true)) {
        change(call, &v, window);
        atomic_store(&set.busy, false);
    }
    mh_guest_leave();
    return set.step;
}

static void shift(struct timespec *t, int64_t step)
{
    int64_t ns = t->tv_nsec + step % SECOND;

    t->tv_sec += step / SECOND + (ns >= SECOND) - (ns < 0);
    t->tv_nsec = ns >= SECOND ? ns - SECOND : ns < 0 ? ns + SECOND : ns;
}

const struct timespec *mh_clock_real(enum mh_call call, const struct timespec *until,
                                     struct timespec *storage)
{
    int64_t step;

    if (!until || MH_LIKELY(!mh_gate_open(&mh_gate.clock)))
        return until;
    step = step_now(call);
    if (!step || until->tv_nsec < 0 || until->tv_nsec >= SECOND)
        return until;
    *storage = *until;
    shift(storage, -step);
    if (storage->tv_sec < 0)
        *storage = (struct timespec){0, 0};
    return storage;
}

static __attribute__((noinline)) int slow_gettime(clockid_t clock, struct timespec *ret)
{
    int r = real_gettime(clock, ret);

    if (!r && is_wall(clock) && mh_gate_open(&mh_gate.clock))
        shift(ret, step_now(MH_CALL_clock_gettime));
    return r;
}

/* The time of day as the program is told it, by the clock that time() reads. */
static struct timespec coarse(enum mh_call call, clockid_t clock)
{
    struct timespec t = {0, 0};

    real_gettime(clock, &t);
    if (mh_gate_open(&mh_gate.clock))
        shift(&t, step_now(call));
    return t;
}

static __attribute__((noinline)) int slow_timeofday(struct timeval *ret, void *zone)
{
    struct timespec t;

    if (zone && mh_real.gettimeofday)
        mh_real.gettimeofday(NULL, zone);
    if (ret) {
        t = coarse(MH_CALL_gettimeofday, CLOCK_REALTIME);
        *ret = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    }
    return 0;
}

static __attribute__((noinline)) time_t slow_time(time_t *ret)
{
    struct timespec t = coarse(MH_CALL_time, CLOCK_REALTIME_COARSE);

    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

/* Jumps where no fault sets the clock: programs read it more often than they call anything else. */
static inline bool is_right(void)
{
    return MH_LIKELY(!__atomic_load_n(&mh_gate.clock, __ATOMIC_RELAXED));
}

MH_PUBLIC int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (is_right() && MH_LIKELY(mh_real.clock_gettime != NULL))
        return mh_real.clock_gettime(clock, ret);
    return slow_gettime(clock, ret);
}

MH_PUBLIC int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    if (is_right() && MH_LIKELY(mh_real.gettimeofday != NULL))
        return mh_real.gettimeofday(ret, zone);
    return slow_timeofday(ret, zone);
}

MH_PUBLIC time_t time(time_t *ret)
{
    if (is_right() && MH_LIKELY(mh_real.time != NULL))
        return mh_real.time(ret);
    return slow_time(ret);
}
