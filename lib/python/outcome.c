/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a watch: whether it may begin here and now, and by which mechanism; see outcome.h.
 */
#include "python/outcome.h"

#include <errno.h>
#include <stdatomic.h>

#include "event/write.h"
#include "python/api.h"
#include "python/follow.h"
#include "python/gil.h"
#include "python/greenlet.h"
#include "python/lost.h"
#include "python/monitor.h"
#include "python/python.h"
#include "python/stack.h"
#include "python/trace.h"

#include "base/banned.h"

static struct {
    bool left_alone;    /* it was asked that nothing be followed */
    atomic_bool off;    /* not in this process */
    atomic_bool forked; /* a child whose interpreter may not be whole yet */
    atomic_bool taken_said, off_said, busy_said;
} outcome;

/* Errors of this thread that no exception was born from yet: lets a capture pass by at one load. */
static __thread int awaited;

/* What tasks of this thread's loop wait for and do not get. */
enum { HELD = 16 };
struct held_back {
    int64_t op;
    uint64_t task;
};
static __thread struct {
    struct held_back all[HELD];
    unsigned n;
} held;

void mh_outcome_reset(void)
{
    mh_follow_reset();
    mh_lost_reset();
    atomic_store(&outcome.off, false);
    atomic_store(&outcome.forked, false);
    atomic_store(&outcome.off_said, false);
    atomic_store(&outcome.taken_said, false);
    atomic_store(&outcome.busy_said, false);
}

/* Python's own fork happens with the GIL held and makes the child's interpreter whole again before
 * it lets go of it. In any other child the GIL may belong to a thread that is not there: never
 * touch it. */
void mh_outcome_after_fork(void)
{
    awaited = 0;
    held.n = 0;
    mh_outcome_reset();
    atomic_store(&outcome.forked, true);
    if (mh_py.can_follow && !(mh_py.PyGILState_GetThisThreadState() && mh_py.PyGILState_Check()))
        atomic_store(&outcome.off, true);
}

void mh_python_leave_alone(bool alone)
{
    outcome.left_alone = alone;
}

bool mh_outcome_may(void)
{
    return mh_py.can_follow && !outcome.left_alone && !atomic_load(&outcome.off) &&
           !(atomic_load(&outcome.forked) && mh_py.PyGILState_Check());
}

static void note_off(void)
{
    atomic_store(&outcome.off, true);
    if (!atomic_exchange(&outcome.off_said, true))
        mh_note(MH_NOTE_no_outcome, mh_py.hex, false,
                outcome.left_alone
                    ? "what becomes of errors is not followed: [run] outcomes = no"
                    : "what becomes of errors cannot be followed in this interpreter");
}

static void note_taken(void)
{
    if (!atomic_exchange(&outcome.taken_said, true))
        mh_note(MH_NOTE_trace_taken, mh_py.hex, false,
                "somebody else traces or monitors this program: what becomes of errors is not "
                "followed meanwhile");
}

static void note_busy(void)
{
    if (!atomic_exchange(&outcome.busy_said, true))
        mh_note(MH_NOTE_no_outcome, mh_py.hex, false,
                "what became of an error was not followed: it came in a library below Python while "
                "other threads kept the interpreter busy");
}

static bool by_monitoring(void)
{
    return mh_py.at.version >= 0x030c;
}

/* Under the GIL; the error indicator is kept. */
static int arm_held(void)
{
    void *type, *value, *trace;
    int r = 0;

    mh_py.PyErr_Fetch(&type, &value, &trace);
    if (by_monitoring())
        r = mh_monitor_arm();
    else
        mh_trace_arm();
    mh_py.PyErr_Restore(type, value, trace);
    return r;
}

/* Python runs for a moment: the GIL is taken. */
static int arm(const char *ts, const struct mh_caller *from)
{
    int gil, r;

    if (!mh_gil_take(ts, from, &gil))
        return -EAGAIN;
    r = arm_held();
    mh_py.PyGILState_Release(gil);
    return r;
}

/* May something be followed from here on? *ret_armed: the mechanism is at work already. */
static bool may_follow(const char *ts, bool *ret_armed)
{
    if (!by_monitoring() && mh_trace_who(ts) == MH_TRACING_other) {
        note_taken();
        return false;
    }
    *ret_armed = by_monitoring() ? mh_monitor_armed() : mh_trace_who(ts) == MH_TRACING_us;
    /* A new child's interpreter is whole when it has let go of the GIL for the first time. */
    if (!mh_py.PyGILState_Check())
        atomic_store(&outcome.forked, false);
    else if (!*ret_armed && atomic_load(&outcome.forked))
        return false;
    return true;
}

/* Puts the mechanism in place. False when what was begun is not followed after all, this time. */
static bool arm_now(const char *ts, const struct mh_caller *from)
{
    int r = arm(ts, from);

    if (r == -EAGAIN)
        note_busy();
    else if (r == -EBUSY)
        note_taken();
    else if (r)
        note_off();
    if (r && r != -EAGAIN)
        mh_follow_reset();
    return r != -EAGAIN;
}

static enum mh_outcome_source source(void)
{
    return by_monitoring() ? MH_SOURCE_monitoring : MH_SOURCE_trace;
}

static bool begin(const char *ts, int64_t op, int err, uint64_t task)
{
    if (task)
        return mh_follow_begin_task(ts, op, task, false, source());
    return mh_follow_begin(ts, op, err, source());
}

void mh_python_watch(int64_t op, uint64_t task, const struct mh_caller *from)
{
    int err = errno;
    const char *ts = mh_stack_thread();
    bool armed;

    if (ts && !atomic_load_explicit(&outcome.off, memory_order_relaxed)) {
        if (!mh_py.can_follow || outcome.left_alone) {
            note_off();
        } else if (may_follow(ts, &armed) && begin(ts, op, err, task)) {
            awaited++;
            if (!armed && !arm_now(ts, from))
                mh_follow_drop(ts, op);
        }
    }
    errno = err;
}

void mh_python_held(int64_t op, uint64_t task)
{
    if (!op || !task || !mh_py.can_follow || outcome.left_alone)
        return;
    for (unsigned i = 0; i < held.n; i++)
        if (held.all[i].op == op)
            return;
    if (held.n < HELD)
        held.all[held.n++] = (struct held_back){op, task};
}

void mh_python_came(int64_t op)
{
    const char *ts = mh_py.can_follow && mh_follow_any() ? mh_stack_thread() : NULL;

    for (unsigned i = 0; i < held.n; i++)
        if (held.all[i].op == op)
            held.all[i--] = held.all[--held.n];
    if (ts)
        mh_follow_drop(ts, op);
}

/* A trace function costs every line: it is there only when timers of the loop's own are due, and
 * what those did not end is asked about again at the next. */
void mh_python_looped(bool idle, const struct mh_caller *from)
{
    const char *ts;
    bool armed;

    mh_greenlet_looped();
    if (MH_LIKELY(!held.n) || !(idle || by_monitoring()))
        return;
    ts = mh_stack_thread();
    if (!ts || atomic_load_explicit(&outcome.off, memory_order_relaxed) || !may_follow(ts, &armed))
        return;
    for (unsigned i = 0; i < held.n; i++)
        awaited += mh_follow_begin_task(ts, held.all[i].op, held.all[i].task, true, source());
    if (!armed && !arm_now(ts, from))
        for (unsigned i = 0; i < held.n; i++)
            mh_follow_drop(ts, held.all[i].op);
    if (by_monitoring())
        held.n = 0;
}

void mh_outcome_switched(void)
{
    const char *ts;

    if (MH_LIKELY(!mh_follow_any()) || by_monitoring() || outcome.left_alone ||
        atomic_load_explicit(&outcome.off, memory_order_relaxed))
        return;
    ts = mh_stack_thread();
    if (ts && mh_trace_who(ts) == MH_TRACING_nobody && mh_follow_busy(ts))
        arm_held();
}

void mh_outcome_pass(const char *ts)
{
    if (MH_UNLIKELY(awaited))
        awaited = mh_follow_pass(ts);
}
