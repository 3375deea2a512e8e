/* SPDX-License-Identifier: Apache-2.0 */
/* The table of followed exceptions: claiming a row, its states, its records. For follow.c and the
 * start of a watch; what moves a row from state to state is follow.c. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "python/exc.h"
#include "python/follow.h"
#include "python/greenlet.h"

enum mh_track_state {
    MH_FREE,
    MH_CLAIMED, /* being filled by its thread */
    MH_WAITING, /* the call has not returned yet */
    MH_FLYING,  /* raised; `frame` is where it is now */
    MH_LANDING, /* left a frame; `frame` is the caller that must see it next */
    MH_CAUGHT,  /* in a handler of `frame` */
    MH_PARKED,  /* handled, but somebody kept the object */
};

enum { MH_TRACKS = 256, MH_HEIRS = 3, MH_CALLERS = 12 };

/* An exception raised while another was handled: what will go on, unless it ends in that handler.
 */
struct mh_heir {
    const char *object;
    int line;
    char type[MH_TYPE_MAX], where[MH_WHERE_MAX];
};

/* A frame that waits for a call, and where in it. */
struct mh_standing {
    const char *frame, *code;
    int offset;
};

/* An object is known by its address. A reference is held only while it is being handled, so that
 * the program's own clean-up by reference counting comes when it always came. */
struct mh_track {
    _Atomic int state;
    enum mh_outcome_source source;
    int64_t op;
    const char *ts, *object, *frame, *code;
    uintptr_t greenlet; /* in which it is awaited, or was seen last; 0: in none */
    const char *also;   /* MH_CAUGHT, MH_PARKED: another thread that may raise the object */
    uintptr_t instr;
    int offset, err, left, passes;
    int line;     /* MH_CAUGHT: of the clause */
    int reached;  /* CAUGHT: line told last */
    int came;     /* line of `frame` at which the object appeared in it */
    bool held;    /* we hold a reference to `object` */
    bool entered; /* CAUGHT: the interpreter has noted it as being handled */
    bool raises;  /* MH_CAUGHT: the line reached holds a raise statement */
    bool from_c;  /* MH_LANDING: C code stands between the frame left and the caller */
    bool bottom;  /* MH_CAUGHT by the thread's own first function */
    bool ended;   /* PARKED: it was what ended its greenlet, */
    bool printed; /* and that was printed */
    bool root;    /* LANDING: what was left is the coroutine of a task */
    bool
        finalizer; /* LANDING: what was left is a __del__ method, whose errors Python only prints */
    const char *next, *next_frame, *next_code; /* raised in the handler; where it was caught */
    const char *next_seen;                     /* frame in which `next` appeared last */
    int next_caught_line;
    uint64_t seq, task; /* task: of the coroutine left, while `root` */
    /* MH_WAITING: the task that stands still for the bytes, while others run; it is no frame that
     * is waited for then, but what this task is gone on with. */
    uint64_t waiter;
    int64_t since;
    bool held_back; /* the bytes are held back: only who has lost patience ends that */
    char type[MH_TYPE_MAX], where[MH_WHERE_MAX];
    struct mh_heir heirs[MH_HEIRS]; /* those that led to `next`, itself the last */
    int nheirs;
    /* MH_WAITING without an errno: who called the frame of the call, the nearest first. */
    struct mh_standing callers[MH_CALLERS];
    int ncallers;
};

struct mh_tracks {
    struct mh_track all[MH_TRACKS];
    _Atomic int live, used;
    _Atomic int high; /* no row from here on was ever claimed */
    _Atomic uint64_t seq;
    atomic_bool full_said;
};
extern struct mh_tracks mh_tracks;

#define MH_EACH_TRACK(t)                                                                           \
    for (struct mh_track *t = mh_tracks.all; t < mh_tracks.all + mh_tracks.high; t++)

/* Is it of this thread, and of the greenlet that this runs? */
static inline bool mh_track_here(const struct mh_track *t, const char *ts)
{
    return t->ts == ts && t->greenlet == mh_greenlet_now();
}

/* Does the code run that reports how a greenlet has ended? Of that nothing is asked. */
static inline bool mh_track_reported(const struct mh_track *t)
{
    return t->ended && t->greenlet == mh_greenlet_now();
}

static inline bool mh_track_live(int state)
{
    return state != MH_FREE && state != MH_PARKED;
}

static inline int mh_track_state(struct mh_track *t)
{
    return atomic_load_explicit(&t->state, memory_order_acquire);
}

/* Moves a row that this thread owns; the other one, a row that another thread might take. */
void mh_track_move(struct mh_track *t, enum mh_track_state to);
bool mh_track_try_move(struct mh_track *t, int from, enum mh_track_state to);

/* Writes one outcome record; _here of the frame and line of a moment. */
void mh_track_emit(struct mh_track *t, enum mh_step step, const char *type, const char *where,
                   int line);
void mh_track_emit_here(struct mh_track *t, enum mh_step step, const struct mh_moment *m);

/* No exception was born, and none will be: says so and frees the row. */
void mh_track_unseen(struct mh_track *t);

/* The same; without a word of what was only held back: it may come yet. */
void mh_track_give_up(struct mh_track *t);

/* Takes a reference to the object; gives it back and tells whether somebody else still has one. */
void mh_track_hold(struct mh_track *t);
bool mh_track_unhold(struct mh_track *t);

/* Stands this moment in a caller of the row's frame, further on than where that called? */
bool mh_track_caller_is(const struct mh_track *t, const struct mh_moment *m);

/* Is any of those callers still on this thread's stack? */
bool mh_track_callers_there(const char *ts, const struct mh_track *t);

/* Is the row's frame still on this thread's stack? *ret_same_instr: and at the same instruction. */
bool mh_track_frame_there(const char *ts, const struct mh_track *t, bool *ret_same_instr);
