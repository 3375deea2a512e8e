/* SPDX-License-Identifier: Apache-2.0 */
/* Whose error a new exception is; see birth.h. */
#include "python/birth.h"

#include "base/sys.h"
#include "python/exc.h"
#include "python/stack.h"

#include "base/banned.h"

/* What is told to a track costs; in the end it is let go. */
static bool spend(struct mh_track *t)
{
    if (--t->left > 0)
        return true;
    mh_track_give_up(t);
    return false;
}

/* Input that ended early is no exception yet: it becomes one when the code that got it says so,
 * with a raise statement of its own, before this thread has made another call. */
static bool said_so(const struct mh_track *t, const struct mh_moment *m, const char *exc)
{
    return !t->err && !t->passes && mh_py.at.op_raise && mh_exc_opcode(m) == mh_py.at.op_raise &&
           !mh_exc_is_stop(exc) && mh_exc_is_new(exc, t->source == MH_SOURCE_trace);
}

/* What a task that stood still is gone on with. That its input ended early becomes the exception
 * of a raise statement, or one that its future was given; that nothing came is for who waits for it
 * to end, by cancelling it. */
static bool woken_by(struct mh_track *t, const struct mh_moment *m, const char *exc, uint64_t *task)
{
    const int64_t soon = 1000000000;
    bool cancelled;
    unsigned opcode;

    *task = *task ? *task : mh_stack_task(m->ts);
    if (*task != t->waiter || mh_exc_is_stop(exc))
        return false;
    /* What is thrown into a greenlet has passed the C code that waited there. */
    if (!(t->waiter & 1) && !mh_exc_is_new(exc, false))
        return false;
    cancelled = mh_exc_is_patience(exc);
    if (t->held_back)
        return cancelled;
    opcode = mh_exc_opcode(m);
    if (!cancelled && mh_now() - t->since < soon && opcode &&
        (opcode == mh_py.at.op_raise || opcode == mh_py.at.op_await))
        return true;
    mh_track_unseen(t);
    return false;
}

struct mh_track *mh_birth_awaited(const struct mh_moment *m, const char *exc)
{
    struct mh_track *last = NULL, *first = NULL;
    uint64_t task = 0;

    MH_EACH_TRACK(t)
    {
        bool same = false;

        if (mh_track_state(t) != MH_WAITING || t->ts != m->ts || !spend(t))
            continue;
        if (t->waiter) {
            if (woken_by(t, m, exc, &task))
                first = t;
            continue;
        }
        if (t->greenlet != mh_greenlet_now())
            continue;
        if (t->frame == m->f.frame && t->code == m->f.code) {
            if (m->f.instr != t->instr && !mh_exc_is_os(exc) && !said_so(t, m, exc))
                continue;
            if (last && last->seq > t->seq) {
                mh_track_unseen(t);
                continue;
            }
            if (last)
                mh_track_unseen(last);
            last = t;
        } else if (!mh_track_frame_there(m->ts, t, &same)) {
            if (mh_track_caller_is(t, m) && said_so(t, m, exc))
                first = !first || first->seq < t->seq ? t : first;
            else if (!mh_track_callers_there(m->ts, t))
                mh_track_unseen(t);
        } else if (same && mh_exc_errno_fits(exc, t->err) && (!first || first->seq > t->seq)) {
            first = t;
        }
    }
    return last ? last : first;
}
