/* SPDX-License-Identifier: Apache-2.0 */
/* The table of followed exceptions; see track.h. */
#include "python/track.h"

#include <string.h>

#include "base/sys.h"
#include "event/write.h"
#include "python/stack.h"

#include "base/banned.h"

enum {
    EVENTS = 2000,  /* told to one track before it is given up: what a fault may cost is bounded */
    ELSEWHERE = 20, /* of that, for a call that another greenlet makes meanwhile */
    PASSES = 3,     /* hooked calls in other places of the frame before an error counts as unseen */
    NOTE_TRACKS = 2,
};

struct mh_tracks mh_tracks;

static void moved(int from, int to)
{
    atomic_fetch_add(&mh_tracks.live, mh_track_live(to) - mh_track_live(from));
    atomic_fetch_add(&mh_tracks.used, (to != MH_FREE) - (from != MH_FREE));
}

/* Moves a track that this thread owns. */
void mh_track_move(struct mh_track *t, enum mh_track_state to)
{
    int from = atomic_exchange(&t->state, to);

    moved(from, to);
}

/* Moves a track that another thread might take at the same moment. */
bool mh_track_try_move(struct mh_track *t, int from, enum mh_track_state to)
{
    if (!atomic_compare_exchange_strong(&t->state, &from, to))
        return false;
    moved(from, to);
    return true;
}

void mh_track_emit(struct mh_track *t, enum mh_step step, const char *type, const char *where,
                   int line)
{
    MH_BUF(b, MH_TYPE_MAX + MH_WHERE_MAX + 16);

    if (step != MH_STEP_unseen) {
        mh_buf_add(&b, type);
        mh_buf_add_char(&b, '\t');
        mh_buf_add(&b, where);
        mh_buf_add_int(&b, line);
    }
    mh_event(outcome, b.data, b.len, .op = t->op, .step = step, .object = (int64_t)t->object,
             .task = (int64_t)(t->root ? t->task : mh_stack_task(t->ts)), .source = t->source);
}

void mh_track_emit_here(struct mh_track *t, enum mh_step step, const struct mh_moment *m)
{
    struct mh_buf where = {t->where, sizeof(t->where), 0, false};

    mh_code_add(&where, m->f.code, m->f.frame);
    mh_track_emit(t, step, t->type, t->where, m->line);
}

void mh_track_unseen(struct mh_track *t)
{
    mh_track_emit(t, MH_STEP_unseen, "", "", 0);
    mh_track_move(t, MH_FREE);
}

void mh_track_give_up(struct mh_track *t)
{
    if (t->held_back)
        mh_track_move(t, MH_FREE);
    else
        mh_track_unseen(t);
}

void mh_track_hold(struct mh_track *t)
{
    mh_py.Py_IncRef((void *)(uintptr_t)t->object);
    t->held = true;
}

/* Returns whether somebody else still has the object. */
bool mh_track_unhold(struct mh_track *t)
{
    bool kept = false;

    if (t->held) {
        t->held = false;
        kept = MH_AT(uint32_t, t->object, 0) > 1;
        mh_py.Py_DecRef((void *)(uintptr_t)t->object);
    }
    return kept;
}

bool mh_track_frame_there(const char *ts, const struct mh_track *t, bool *ret_same_instr)
{
    const char *frame = mh_frame_first(ts);
    struct mh_frame f;

    for (int i = 0; frame && i < 1000; i++, frame = mh_frame_back(frame)) {
        if (frame != t->frame)
            continue;
        mh_frame_load(frame, &f);
        *ret_same_instr = f.instr == t->instr;
        return f.code == t->code;
    }
    return false;
}

static void callers_note(struct mh_track *t)
{
    struct mh_frame f;
    const char *frame = mh_frame_back(t->frame);

    t->ncallers = 0;
    while (t->ncallers < MH_CALLERS && mh_frame_find(frame, &f)) {
        t->callers[t->ncallers++] = (struct mh_standing){f.frame, f.code, mh_frame_offset(&f)};
        frame = mh_frame_back(f.frame);
    }
}

/* A loop may call the same function again, and its frame then has the same address: further on than
 * the call, and no other call in between (see mh_follow_pass()), is what can be told. */
bool mh_track_caller_is(const struct mh_track *t, const struct mh_moment *m)
{
    for (int i = 0; i < t->ncallers; i++)
        if (t->callers[i].frame == m->f.frame)
            return t->callers[i].code == m->f.code && m->offset > t->callers[i].offset;
    return false;
}

bool mh_track_callers_there(const char *ts, const struct mh_track *t)
{
    const char *frame = mh_frame_first(ts);

    for (int i = 0; t->ncallers && frame && i < 1000; i++, frame = mh_frame_back(frame))
        for (int k = 0; k < t->ncallers; k++)
            if (t->callers[k].frame == frame)
                return true;
    return false;
}

/* The lowest free row, so that few are looked at; else that of the oldest object that is only kept.
 */
static struct mh_track *track_claim(void)
{
    struct mh_track *oldest = NULL;

    for (int i = 0; i < MH_TRACKS; i++) {
        struct mh_track *t = &mh_tracks.all[i];
        int high = atomic_load(&mh_tracks.high);

        if (mh_track_state(t) == MH_FREE && mh_track_try_move(t, MH_FREE, MH_CLAIMED)) {
            while (high <= i && !atomic_compare_exchange_weak(&mh_tracks.high, &high, i + 1))
                ;
            return t;
        }
        if (mh_track_state(t) == MH_PARKED && (!oldest || t->seq < oldest->seq))
            oldest = t;
    }
    return oldest && mh_track_try_move(oldest, MH_PARKED, MH_CLAIMED) ? oldest : NULL;
}

static struct mh_track *track_new(const char *ts, int64_t op, int err,
                                  enum mh_outcome_source source)
{
    struct mh_track *t = track_claim();

    if (!t) {
        if (!atomic_exchange(&mh_tracks.full_said, true))
            mh_note(MH_NOTE_table_full, NOTE_TRACKS, false,
                    "too many errors at a time: not every outcome is followed");
        return NULL;
    }
    t->source = source;
    t->op = op;
    t->ts = ts;
    t->greenlet = mh_greenlet_now();
    t->err = err;
    t->left = EVENTS;
    t->passes = t->ncallers = 0;
    t->waiter = 0;
    t->also = t->frame = t->code = NULL;
    t->object = t->next = t->next_frame = t->next_code = NULL;
    t->held = t->raises = t->from_c = t->bottom = t->root = false;
    t->finalizer = t->ended = t->printed = false;
    t->seq = atomic_fetch_add(&mh_tracks.seq, 1);
    return t;
}

bool mh_follow_begin(const char *ts, int64_t op, int err, enum mh_outcome_source source)
{
    struct mh_frame f;
    struct mh_track *t;

    if (!mh_frame_find(mh_frame_first(ts), &f))
        return false;
    MH_EACH_TRACK(old)
    {
        bool same;

        /* At the same instruction a loop in C may wait for both. */
        if (mh_track_state(old) == MH_WAITING && mh_track_here(old, ts) && !old->waiter &&
            (!mh_track_frame_there(ts, old, &same) || (old->frame == f.frame && !same)))
            mh_track_unseen(old);
    }
    t = track_new(ts, op, err, source);
    if (!t)
        return false;
    t->frame = f.frame;
    t->code = f.code;
    t->instr = f.instr;
    if (!err)
        callers_note(t);
    mh_track_move(t, MH_WAITING);
    return true;
}

bool mh_follow_begin_task(const char *ts, int64_t op, uint64_t task, bool held_back,
                          enum mh_outcome_source source)
{
    struct mh_track *t;

    MH_EACH_TRACK(old)
    {
        if (mh_track_state(old) == MH_WAITING && old->ts == ts && old->op == op)
            return true;
    }
    t = track_new(ts, op, 0, source);
    if (!t)
        return false;
    t->waiter = task;
    if (task & 1)
        t->greenlet = (uintptr_t)task & ~(uintptr_t)1;
    t->since = mh_now();
    t->held_back = held_back;
    mh_track_move(t, MH_WAITING);
    return true;
}

void mh_follow_drop(const char *ts, int64_t op)
{
    MH_EACH_TRACK(t)
    if (mh_track_state(t) == MH_WAITING && t->ts == ts && t->op == op)
        mh_track_move(t, MH_FREE);
}

int mh_follow_pass(const char *ts)
{
    int awaited = 0;
    uint64_t task = 0;

    MH_EACH_TRACK(t)
    {
        bool same = false;

        if (mh_track_state(t) != MH_WAITING || t->ts != ts)
            continue;
        if (t->waiter) {
            task = task ? task : mh_stack_task(ts) | 1;
            if ((t->waiter | 1) == task) /* it goes on already, with other things */
                mh_track_give_up(t);
            else
                awaited++;
            continue;
        }
        if (t->greenlet != mh_greenlet_now()) { /* that one stands still meanwhile, or is gone */
            t->left -= ELSEWHERE;
            if (t->left > 0)
                awaited++;
            else
                mh_track_unseen(t);
            continue;
        }
        if (!mh_track_frame_there(ts, t, &same) || (!same && ++t->passes >= PASSES)) {
            mh_track_unseen(t);
        } else {
            awaited++;
        }
    }
    return awaited;
}

bool mh_follow_busy(const char *ts)
{
    MH_EACH_TRACK(t)
    {
        int state = mh_track_state(t);

        if (state == MH_FREE || (t->ts != ts && t->also != ts) || mh_track_reported(t) ||
            (mh_track_live(state) && t->ts == ts && !mh_track_here(t, ts)))
            continue; /* who has it stands still meanwhile */
        if (state == MH_WAITING && --t->left <= 0) {
            mh_track_give_up(t);
            continue;
        }
        if ((mh_track_live(state) && t->ts == ts) || t->left-- > 0)
            return true;
    }
    return false;
}

bool mh_follow_any(void)
{
    return atomic_load_explicit(&mh_tracks.used, memory_order_relaxed) > 0;
}

int mh_follow_live(void)
{
    return atomic_load_explicit(&mh_tracks.live, memory_order_relaxed);
}

void mh_follow_reset(void)
{
    MH_EACH_TRACK(t)
    atomic_store(&t->state, MH_FREE);
    atomic_store(&mh_tracks.live, 0);
    atomic_store(&mh_tracks.used, 0);
    atomic_store(&mh_tracks.high, 0);
    atomic_store(&mh_tracks.full_said, false);
}
