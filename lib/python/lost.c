/* SPDX-License-Identifier: Apache-2.0 */
/* See lost.h. That a task's exception was never asked for is known when the task goes: asyncio
 * tells its loop's handler, and what that logs is seen by us. The exception is in the dictionary
 * that the handler was given. What ends a greenlet is printed by gevent's hub in the same way; it
 * may still be asked for, and is then raised again. */
#include "python/lost.h"

#include <string.h>

#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/api.h"
#include "python/gil.h"
#include "python/python.h"
#include "python/stack.h"

#include "base/banned.h"

enum { FRAMES = 40 };

/* Functions that are told of what nobody handled, and which of their parameters it is: the
 * exception, or a dictionary that has it. */
static const struct handler {
    const char *file, *function;
    int local;
    bool in_dict;
} handlers[] = {
    {"/asyncio/base_events.py", "call_exception_handler", 1, true},
    {"/gevent/hub.py", "handle_error", 3, false}, /* (self, context, type, value, tb) */
};

static const int64_t at_once = 10000000000;

/* The last one to leave the main thread's outermost frame. */
static struct {
    bool there;
    int64_t at, op, object;
    enum mh_outcome_source source;
    char text[MH_TYPE_MAX + MH_WHERE_MAX + 16];
} outermost;

void mh_lost_reset(void)
{
    outermost.there = false;
}

void mh_lost_outermost(const struct mh_track *t, int line)
{
    struct mh_buf b = {outermost.text, sizeof(outermost.text), 0, false};

    if (mh_sys_gettid() != mh_sys_getpid() || !strcmp(t->type, "SystemExit"))
        return;
    mh_buf_add(&b, t->type);
    mh_buf_add_char(&b, '\t');
    mh_buf_add(&b, t->where);
    mh_buf_add_int(&b, line);
    outermost.op = t->op;
    outermost.object = (int64_t)t->object;
    outermost.source = t->source;
    outermost.at = mh_now();
    outermost.there = true;
}

void mh_python_ends(int status)
{
    if (outermost.there && status == 1 && mh_now() - outermost.at < at_once)
        mh_event(outcome, outermost.text, strlen(outermost.text), .op = outermost.op,
                 .step = MH_STEP_lost, .object = outermost.object, .source = outermost.source);
    outermost.there = false;
}

static bool is_handler(const char *code, const struct handler *h)
{
    size_t n = strlen(h->file);
    MH_BUF(path, 64);

    return mh_str_is(MH_AT(char *, code, mh_py.at.co_name), h->function) &&
           mh_str_add(&path, MH_AT(char *, code, mh_py.at.co_filename), 60, true) &&
           path.len >= n && !strcmp(path.data + path.len - n, h->file);
}

/* What the handler on this stack was called with, and which that is; NULL. */
static void *told_of(const char *ts, const struct handler **ret)
{
    const char *frame = mh_frame_first(ts);
    struct mh_frame f;

    for (int i = 0; i < FRAMES && mh_frame_find(frame, &f); i++) {
        for (*ret = handlers; *ret < handlers + ARRAY_SIZE(handlers); ++*ret)
            if (is_handler(f.code, *ret))
                return (void *)(uintptr_t)mh_frame_local(&f, (*ret)->local);
        frame = mh_frame_back(f.frame);
    }
    return NULL;
}

/* An item of the dictionary, borrowed; NULL when it has none. */
static const char *item(void *context, const char *key)
{
    char *value = mh_py.PyObject_CallMethod(context, "get", "s", key);

    if (!value)
        mh_py.PyErr_Clear();
    else
        mh_py.Py_DecRef(value); /* the dictionary keeps it */
    return value == mh_py.none ? NULL : value;
}

/* A transport that fails still tells its protocol; of a task, a future or a callback this is the
 * last word. */
static void tell(void *context, bool in_dict)
{
    const char *exc = in_dict ? item(context, "exception") : context;

    if (!exc || (in_dict && (item(context, "transport") || item(context, "protocol"))))
        return;
    MH_EACH_TRACK(t)
    {
        if (t->object == exc && !t->printed && mh_track_try_move(t, MH_PARKED, MH_CLAIMED)) {
            t->printed = true;
            mh_track_emit(t, MH_STEP_lost, t->type, t->where, t->line);
            mh_track_move(t, in_dict ? MH_FREE : MH_PARKED);
        }
    }
}

void mh_python_lost(const struct mh_caller *from)
{
    const char *ts = mh_py.can_follow && mh_follow_any() ? mh_stack_thread() : NULL;
    const struct handler *handler;
    void *context = ts ? told_of(ts, &handler) : NULL, *type, *value, *trace;
    int gil;

    if (!context || !mh_gil_take(ts, from, &gil))
        return;
    mh_py.PyErr_Fetch(&type, &value, &trace);
    tell(context, handler->in_dict);
    mh_py.PyErr_Restore(type, value, trace);
    mh_py.PyGILState_Release(gil);
}
