/* SPDX-License-Identifier: Apache-2.0 */
/* PyEval_SetTrace(): exceptions, lines and returns of every frame of the thread; see trace.h. */
#include "python/trace.h"

#include "python/api.h"
#include "python/exc.h"
#include "python/follow.h"

#include "base/banned.h"

/* PyTrace_* of CPython. */
enum { TRACE_CALL, TRACE_EXCEPTION, TRACE_LINE, TRACE_RETURN };

/* A tuple (type, value, traceback); the value is an instance by now, or None. */
static const char *exception_of(void *arg)
{
    return arg ? MH_AT(char *, arg, mh_py.at.tu_data + 8) : NULL;
}

static int tracer(void *self, void *frame, int what, void *arg)
{
    struct mh_moment m;
    const char *exc;

    (void)self;
    (void)frame;
    if (what == TRACE_CALL || !mh_follow_moment(&m))
        return 0;
    if (what == TRACE_EXCEPTION) {
        exc = exception_of(arg);
        if (exc && exc != mh_py.none)
            mh_follow_raise(&m, exc);
    } else if (what == TRACE_LINE) {
        mh_follow_step(&m, false);
    } else if (what == TRACE_RETURN && arg) {
        mh_follow_step(&m, !mh_exc_is_yield(&m));
    } else if (what == TRACE_RETURN) {
        mh_follow_unwind(&m, NULL);
    }
    if (!mh_follow_busy(m.ts) && mh_trace_who(m.ts) == MH_TRACING_us)
        mh_py.PyEval_SetTrace(NULL, NULL);
    return 0;
}

enum mh_tracing mh_trace_who(const char *ts)
{
    int (*who)(void *, void *, int, void *) = MH_AT(__typeof__(who), ts, mh_py.at.ts_tracefunc);

    return who == tracer ? MH_TRACING_us : who ? MH_TRACING_other : MH_TRACING_nobody;
}

void mh_trace_arm(void)
{
    mh_py.PyEval_SetTrace(tracer, NULL);
}

const char *mh_trace_main(const char *ts)
{
    char *main = NULL, *t;

    if (!mh_py.trace_thread || !mh_py.thread_head || !mh_py.thread_next || !mh_py.at.ts_interp)
        return NULL;
    t = mh_py.thread_head((void *)MH_AT(uintptr_t, ts, mh_py.at.ts_interp));
    for (; t && !main; t = mh_py.thread_next(t))
        if (MH_AT(uintptr_t, t, mh_py.at.ts_thread_id) == mh_py.main_thread)
            main = t;
    if (!main || main == ts || mh_trace_who(main) == MH_TRACING_other)
        return NULL;
    if (mh_trace_who(main) == MH_TRACING_nobody)
        mh_py.trace_thread(main, tracer, NULL);
    return main;
}
