/* SPDX-License-Identifier: Apache-2.0 */
/* What moves a followed exception from state to state; see follow.h. */
#include "python/follow.h"

#include <string.h>

#include "python/birth.h"
#include "python/exc.h"
#include "python/lost.h"
#include "python/name.h"
#include "python/trace.h"
#include "python/track.h"

#include "base/banned.h"

/* The handler's new exception is what goes on. */
static void replace(struct mh_track *t)
{
    mh_track_unhold(t);
    for (int i = 0; i < t->nheirs; i++) {
        t->object = t->heirs[i].object;
        memcpy(t->type, t->heirs[i].type, sizeof(t->type));
        mh_track_emit(t, MH_STEP_replaced, t->type, t->heirs[i].where, t->heirs[i].line);
    }
    t->next = NULL;
    t->nheirs = 0;
}

/* The end of being handled: the object goes its way, or is kept by somebody who may raise it again.
 */
static void settle(struct mh_track *t)
{
    if (t->next && t->next_frame == t->frame) {
        replace(t);
        mh_track_emit(t, MH_STEP_handled, t->type, t->where, t->next_caught_line);
        mh_track_move(t, t->source == MH_SOURCE_monitoring ? MH_PARKED : MH_FREE);
        return;
    }
    mh_track_emit(t, t->bottom ? MH_STEP_unhandled : MH_STEP_handled, t->type, t->where, t->line);
    if (t->bottom)
        mh_track_emit(t, MH_STEP_lost, t->type, t->where, t->line);
    t->next = NULL;
    mh_track_move(t, mh_track_unhold(t) ? MH_PARKED : MH_FREE);
}

/* What is told to a track costs; in the end it is let go. */
static bool spend(struct mh_track *t)
{
    int state = mh_track_state(t);

    if (--t->left > 0 || (state == MH_PARKED && t->source == MH_SOURCE_monitoring))
        return true;
    if (state == MH_CAUGHT) {
        settle(t);
    } else if (state == MH_WAITING) {
        mh_track_give_up(t);
    }
    if (mh_track_state(t) != MH_FREE)
        mh_track_move(t, MH_FREE);
    return false;
}

static void fly(struct mh_track *t, const struct mh_moment *m)
{
    mh_track_unhold(t);
    if (m->line || t->frame != m->f.frame)
        t->came = m->line;
    t->ts = m->ts;
    t->greenlet = mh_greenlet_now();
    t->frame = m->f.frame;
    t->code = m->f.code;
    t->next = NULL;
    t->root = t->ended = t->printed = false;
    mh_track_move(t, MH_FLYING);
}

static void next_set(struct mh_track *t, const struct mh_moment *m, const char *exc)
{
    struct mh_heir *heir;
    struct mh_buf where;

    if (!t->next || !mh_exc_descends(exc, t->next))
        t->nheirs = 0;
    if (t->nheirs == MH_HEIRS)
        t->nheirs--;
    heir = &t->heirs[t->nheirs++];
    where = (struct mh_buf){heir->where, sizeof(heir->where), 0, false};
    heir->object = t->next = exc;
    t->next_seen = m->f.frame;
    heir->line = m->line;
    t->next_frame = t->next_code = NULL;
    mh_exc_type(exc, heir->type);
    mh_code_add(&where, m->f.code, m->f.frame);
}

/* `alive`: the object is sure to be there still; a trace function may come too late to know. */
static void enter(struct mh_track *t, const struct mh_moment *m, bool alive)
{
    struct mh_buf where = {t->where, sizeof(t->where), 0, false};

    mh_code_add(&where, m->f.code, m->f.frame);
    t->frame = m->f.frame;
    t->code = m->f.code;
    t->line = m->line;
    t->raises = false;
    t->reached = 0;
    t->next = NULL;
    t->bottom = mh_exc_thread_bottom(m);
    t->entered = false;
    if (alive)
        mh_track_hold(t);
    /* The handler may hand it to the main thread, as executors and their futures do. */
    t->also = t->source == MH_SOURCE_trace ? mh_trace_main(t->ts) : NULL;
    mh_track_move(t, MH_CAUGHT);
}

static void born(struct mh_track *t, const struct mh_moment *m, const char *exc)
{
    mh_name_thread_gil();
    t->object = exc;
    mh_exc_type(exc, t->type);
    fly(t, m);
    mh_track_emit_here(t, MH_STEP_born, m);
}

/* Is the object being handled by its frame, though no line of that was told? So it is while a with
 * statement's __exit__ runs. Then it counts as caught from now on. */
static bool caught_unseen(struct mh_track *t, const struct mh_moment *m)
{
    struct mh_moment then = *m;
    bool same;

    if (mh_track_state(t) != MH_FLYING || t->frame == m->f.frame || !mh_exc_handled_is(t->object) ||
        !mh_track_frame_there(m->ts, t, &same))
        return false;
    mh_frame_load(t->frame, &then.f);
    then.line = t->came;
    enter(t, &then, true);
    return true;
}

/* A track whose object, or an exception that descends from it, appears. */
static void raise_known(struct mh_track *t, const struct mh_moment *m, const char *exc, bool heir)
{
    int state = mh_track_state(t);
    bool again = state == MH_PARKED;

    if (again) {
        if (!heir && mh_exc_is_new(exc, t->source == MH_SOURCE_trace)) {
            mh_track_try_move(t, MH_PARKED, MH_FREE); /* another object at its address */
            return;
        }
        if (!mh_track_try_move(t, MH_PARKED, MH_CLAIMED))
            return;
        t->ts = m->ts;
    }
    if (heir && (state == MH_CAUGHT || caught_unseen(t, m))) {
        if (t->next != exc)
            next_set(t, m, exc);
        t->next_seen = m->f.frame;
        return;
    }
    if (heir) {
        next_set(t, m, exc);
        replace(t);
    } else if (state == MH_CAUGHT) {
        again = mh_exc_opcode(m) == mh_py.at.op_raise; /* else thrown into a generator */
    }
    fly(t, m);
    if (again && !heir)
        mh_track_emit_here(t, MH_STEP_reraised, m);
}

/* C code ended its flight without a word; the frame that it was in goes on. */
static void swallowed(struct mh_track *t)
{
    struct mh_buf where = {t->where, sizeof(t->where), 0, false};
    bool same;

    if (t->finalizer) {
        mh_track_emit(t, MH_STEP_lost, t->type, t->where, t->line);
    } else if (mh_track_frame_there(t->ts, t, &same)) {
        mh_code_add(&where, t->code, t->frame);
        mh_track_emit(t, MH_STEP_handled, t->type, t->where,
                      t->came ? t->came : mh_code_line(t->code, t->offset));
    }
    mh_track_move(t, MH_FREE);
}

/* Tells one track of an exception that appears. */
static void raise_told(struct mh_track *t, const struct mh_moment *m, const char *exc)
{
    int state = mh_track_state(t);
    bool heir;

    if (state == MH_CAUGHT && !mh_track_here(t, m->ts) && t->object == exc) {
        settle(t); /* handed to this thread, or greenlet, before that one was seen to go on */
        state = mh_track_state(t);
    }
    if (state == MH_FREE || state == MH_CLAIMED || state == MH_WAITING ||
        (mh_track_live(state) && !mh_track_here(t, m->ts)) || !spend(t))
        return;
    if (exc == t->object && (state == MH_FLYING || state == MH_LANDING) && t->frame != m->f.frame &&
        !t->root && mh_exc_is_new(exc, t->source == MH_SOURCE_trace)) {
        swallowed(t); /* it is gone, and another has its address */
        return;
    }
    heir = exc != t->object && mh_exc_descends(exc, t->object);
    if (heir && mh_track_reported(t))
        return;
    if (exc == t->object || heir)
        raise_known(t, m, exc, heir);
    else if (state == MH_CAUGHT && t->frame == m->f.frame && exc != t->next &&
             !mh_exc_handled_is(t->object))
        settle(t);
}

void mh_follow_raise(const struct mh_moment *m, const char *exc)
{
    struct mh_track *mine = NULL;
    bool known = false;

    MH_EACH_TRACK(t)
    {
        bool was = mh_track_state(t) >= MH_FLYING && t->object == exc;

        raise_told(t, m, exc);
        known = known || (was && mh_track_state(t) != MH_FREE);
    }
    if (!known)
        mine = mh_birth_awaited(m, exc);
    if (mine)
        born(mine, m, exc);
}

void mh_follow_caught(const struct mh_moment *m, const char *exc)
{
    MH_EACH_TRACK(t)
    {
        int state = mh_track_state(t);

        if (!mh_track_live(state) || !mh_track_here(t, m->ts) || !spend(t))
            continue;
        if ((state == MH_FLYING || state == MH_LANDING) && t->object == exc) {
            enter(t, m, true);
        } else if (state == MH_CAUGHT && t->next == exc) {
            t->next_frame = m->f.frame;
            t->next_code = m->f.code;
            t->next_caught_line = m->line;
        }
    }
}

void mh_follow_reraise(const struct mh_moment *m, const char *exc)
{
    MH_EACH_TRACK(t)
    {
        if (mh_track_state(t) != MH_CAUGHT || !mh_track_here(t, m->ts) || t->object != exc ||
            !spend(t))
            continue;
        fly(t, m);
        if (mh_exc_opcode(m) == mh_py.at.op_raise && mh_py.at.op_raise)
            mh_track_emit_here(t, MH_STEP_reraised, m);
    }
}

/* Its frame is being left by the tracked object. */
static void leave(struct mh_track *t, const struct mh_moment *moment)
{
    const char *back = mh_frame_back(moment->f.frame);
    struct mh_moment here = *moment, *m = &here;
    struct mh_buf where = {t->where, sizeof(t->where), 0, false};
    struct mh_frame caller;

    if (t->came) /* clean-up code that lets it go on has no line of its own */
        m->line = t->came;
    t->finalizer = mh_code_is_finalizer(m->f.code);
    if (!mh_frame_find(back, &caller)) {
        mh_track_emit_here(t, t->finalizer ? MH_STEP_lost : MH_STEP_unhandled, m);
        t->line = m->line;
        /* Who waits for a greenlet's end may be given its error. */
        if (!t->finalizer && !mh_greenlet_now())
            mh_lost_outermost(t, m->line);
        t->ended = mh_greenlet_now() && !t->finalizer;
        mh_track_move(t, t->ended ? MH_PARKED : MH_FREE);
        return;
    }
    if (t->finalizer) {
        mh_code_add(&where, m->f.code, m->f.frame);
        t->line = m->line;
    }
    /* The end of a task, unless a loop in Python takes it over. A trace function is told in time
     * which it is; sys.monitoring perhaps never. Before 3.9 an exception thrown into a coroutine
     * does not even show those that await it. */
    t->root = mh_frame_coroutine(&m->f) && !mh_exc_in_coroutine(back);
    if (t->root) {
        t->task = (uintptr_t)mh_frame_coroutine(&m->f);
        mh_code_add(&where, m->f.code, m->f.frame);
        t->line = m->line;
        if (t->source == MH_SOURCE_monitoring) {
            mh_track_emit(t, MH_STEP_unhandled, t->type, t->where, t->line);
            mh_track_move(t, MH_PARKED);
            return;
        }
    }
    t->from_c = caller.frame != back || !mh_py.at.fr_owner;
    t->frame = caller.frame;
    t->code = caller.code;
    t->offset = mh_frame_offset(&caller);
    t->came = 0;
    mh_track_move(t, MH_LANDING);
}

void mh_follow_unwind(const struct mh_moment *m, const char *exc)
{
    MH_EACH_TRACK(t)
    {
        int state = mh_track_state(t);

        if ((state != MH_FLYING && state != MH_CAUGHT) || !mh_track_here(t, m->ts) ||
            t->frame != m->f.frame || !spend(t))
            continue;
        if (state == MH_FLYING) {
            if (!exc || exc == t->object)
                leave(t, m);
            continue;
        }
        if (t->next && (exc ? exc == t->next : t->next_seen == t->frame)) {
            replace(t);
            t->came = 0;
        } else if (!exc || exc == t->object) {
            if (t->raises)
                mh_track_emit(t, MH_STEP_reraised, t->type, t->where, t->reached);
            mh_track_unhold(t);
        } else {
            settle(t);
            continue;
        }
        leave(t, m);
    }
}

/* A new line in the handler. The clause that takes the exception is the last one that tests for its
 * type; a trace function is not told of a bare raise, but of the outer clause that comes after. */
static void line_reached(struct mh_track *t, const struct mh_moment *m)
{
    bool raised = t->raises && t->source == MH_SOURCE_trace;
    int from = t->reached;
    bool clause = mh_exc_clause(m, &t->raises);

    if (clause && raised && m->line != from)
        mh_track_emit(t, MH_STEP_reraised, t->type, t->where, from);
    if (clause || !t->line)
        t->line = m->line;
    t->reached = m->line;
    t->raises = t->raises && m->line != t->came; /* that one was told */
}

static void step_caught(struct mh_track *t, const struct mh_moment *m, bool leaving)
{
    bool inner = t->next_frame == m->f.frame && t->frame != m->f.frame;
    struct mh_frame caller;

    if (mh_exc_handled_is(t->object)) {
        t->entered = true;
        if (!t->held)
            mh_track_hold(t);
        if (leaving && !inner) { /* over in this frame, not yet in one further out */
            if (mh_frame_find(mh_frame_back(m->f.frame), &caller)) {
                t->frame = caller.frame;
                t->code = caller.code;
            }
            return;
        }
        if (!inner || t->next_frame)
            t->next = t->next_frame = t->next_code = NULL; /* it came and went in the handler */
        if (!inner)
            line_reached(t, m);
        return;
    }
    if (t->next && mh_exc_handled_is(t->next)) {
        if (!t->next_frame) { /* a mechanism that does not tell of handlers */
            t->next_frame = m->f.frame;
            t->next_caught_line = m->line;
        }
        return;
    }
    if (inner)
        return;
    /* From 3.11 on a line may be told for the instruction which is about to note that the exception
     * is being handled; sys.monitoring does so at most once after it told of the handler. */
    if (mh_py.at.op_push && !leaving && mh_exc_opcode(m) == mh_py.at.op_push)
        return;
    if (!t->entered && !leaving && t->source == MH_SOURCE_monitoring)
        t->entered = true;
    else
        settle(t);
}

void mh_follow_step(const struct mh_moment *m, bool leaving)
{
    MH_EACH_TRACK(t)
    {
        int state = mh_track_state(t);

        if (!mh_track_live(state) || !mh_track_here(t, m->ts) || !spend(t))
            continue;
        if (state == MH_LANDING && t->root) {
            mh_track_emit(t, MH_STEP_unhandled, t->type, t->where, t->line);
            mh_track_move(t, MH_PARKED);
            continue;
        }
        if (t->frame != m->f.frame && !(t->next && t->next_frame == m->f.frame))
            continue;
        if (state == MH_CAUGHT) {
            step_caught(t, m, leaving);
        } else if (state == MH_FLYING) {
            enter(t, m, false);
            step_caught(t, m, leaving);
        } else if (state == MH_LANDING) {
            struct mh_moment then = *m;

            then.line = mh_code_line(t->code, t->offset);
            if (t->finalizer)
                mh_track_emit(t, MH_STEP_lost, t->type, t->where, t->line);
            else /* by the C code that stood between */
                mh_track_emit_here(t, MH_STEP_handled, &then);
            mh_track_move(t, t->source == MH_SOURCE_monitoring ? MH_PARKED : MH_FREE);
        }
    }
}

unsigned mh_follow_codes(const char *ret[], unsigned n)
{
    unsigned have = 0;

    MH_EACH_TRACK(t)
    {
        int state = mh_track_state(t);

        if (have < n && (state == MH_CAUGHT || (state == MH_LANDING && t->from_c)))
            ret[have++] = t->code;
        if (have < n && state == MH_CAUGHT && t->next && t->next_code)
            ret[have++] = t->next_code;
    }
    return have;
}

bool mh_follow_moment(struct mh_moment *ret)
{
    ret->ts = mh_py.PyGILState_GetThisThreadState();
    if (!ret->ts || !mh_frame_find(mh_frame_first(ret->ts), &ret->f))
        return false;
    ret->offset = mh_frame_offset(&ret->f);
    ret->line = mh_code_line(ret->f.code, ret->offset);
    return true;
}
