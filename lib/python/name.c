/* SPDX-License-Identifier: Apache-2.0 */
/* Names of threads and tasks; see name.h. */
#include "python/name.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/hash.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/api.h"

#include "base/banned.h"

enum {
    LONGEST = 64, /* characters of a name */
    WAITERS = 4,
    SEEN = 1 << 10,
    COMM = 16,
    /* The same in every version from 3.8 on: */
    HANDLE_CALLBACK = 24, /* asyncio.events.Handle, a class with slots */
    STEP_TASK = 16,       /* what a loop calls to go on with a task */
    METHOD_SELF = 24,     /* PyCFunctionObject */
    FUTURE_CALLBACK = 24, /* the first who wants to know of a future's end */
    TYPE_BASICSIZE = 32,
    INT_TAG = 16, /* from 3.12 on: number of digits times 8, and sign */
    INT_DIGIT = 24,
};

static struct {
    _Atomic uint64_t seen[SEEN];
    _Atomic(const char *) run; /* code of asyncio's Handle._run, once it was recognised */
    _Atomic uint32_t recording;
} names = {.recording = 1};

/* The recording in which this thread was named; and the one in which Python's name for it was. */
static __thread uint32_t named, named_gil;

void mh_name_reset(void)
{
    for (unsigned i = 0; i < SEEN; i++)
        atomic_store_explicit(&names.seen[i], 0, memory_order_relaxed);
    atomic_fetch_add(&names.recording, 1);
}

static bool is_a(const char *object, const char *name)
{
    return !strcmp(MH_AT(char *, mh_py_type(object), mh_py.at.ty_name), name);
}

/* Is it the function of asyncio's loops that calls what a handle holds? */
static bool runs_handle(const char *code)
{
    static const char file[] = "/asyncio/events.py";
    MH_BUF(text, MH_NAME_MAX + MH_FILE_MAX);
    const char *known = atomic_load_explicit(&names.run, memory_order_relaxed);

    if (known)
        return code == known;
    if (!mh_str_add(&text, MH_AT(char *, code, mh_py.at.co_name), MH_NAME_MAX, false) ||
        strcmp(text.data, "_run") != 0 ||
        !mh_str_add(&text, MH_AT(char *, code, mh_py.at.co_filename), MH_FILE_MAX, true) ||
        text.len < sizeof(file) || strcmp(text.data + text.len - sizeof(file) + 1, file) != 0)
        return false;
    atomic_store_explicit(&names.run, code, memory_order_relaxed);
    return true;
}

/* The task that a callback of a loop or of a future goes on with; NULL when it is none. */
static const char *task_of(const char *callback)
{
    if (is_a(callback, "TaskStepMethWrapper") || is_a(callback, "_asyncio.TaskStepMethWrapper") ||
        is_a(callback, "TaskWakeupMethWrapper"))
        return MH_AT(char *, callback, STEP_TASK);
    if (is_a(callback, "builtin_function_or_method"))
        return MH_AT(char *, callback, METHOD_SELF);
    return NULL;
}

/* Is it large enough to be a task? Its class may be one that was derived from asyncio's. */
static bool has_room(const char *object)
{
    return MH_AT(int64_t, mh_py_type(object), TYPE_BASICSIZE) >= mh_py.at.as_name + 8;
}

/* From 3.12 on a name that nobody asked for is only a number. */
static void add_name(struct mh_buf *b, const char *name)
{
    if (mh_str_add(b, name, LONGEST, false))
        return;
    if (!is_a(name, "int") || MH_AT(uint64_t, name, INT_TAG) >> 3 != 1) {
        mh_buf_add_char(b, '?');
        return;
    }
    mh_buf_add(b, "Task-");
    mh_buf_add_int(b, (int64_t)MH_AT(uint32_t, name, INT_DIGIT));
}

static void add_task(struct mh_buf *b, const char *task)
{
    const struct mh_layout *at = &mh_py.at;
    const char *coroutine = MH_AT(char *, task, at->as_coro),
               *name = MH_AT(char *, task, at->as_name);

    if (name)
        add_name(b, name);
    mh_buf_add_char(b, '\t');
    if (!coroutine || mh_py_type(coroutine) != mh_py.coro_type ||
        !mh_str_add(b, MH_AT(char *, coroutine, at->ge_qualname), MH_NAME_MAX, true))
        mh_buf_add_char(b, '?');
}

/* The task that waits for a task or future: from 3.14 on each knows, and what gathers others, too;
 * before it is told by the first callback. */
static const char *waiter_of(const char *future)
{
    const char *callback, *task;

    for (int i = 0; mh_py.at.as_waiter && i < WAITERS; i++) {
        future = MH_AT(char *, future, mh_py.at.as_waiter);
        if (!future || is_a(future, "set"))
            return NULL;
        if (is_a(future, "_asyncio.Task"))
            return future;
    }
    if (mh_py.at.as_waiter)
        return NULL;
    callback = MH_AT(char *, future, FUTURE_CALLBACK);
    task = callback ? task_of(callback) : NULL;
    return task && is_a(task, "_asyncio.Task") ? task : NULL;
}

/* What tells this task from another with the same number. */
static uint64_t key_of(const char *coroutine, const char *task)
{
    const char *name = MH_AT(char *, task, mh_py.at.as_name);
    uint64_t key = mh_mix2((uintptr_t)coroutine, (uintptr_t)task);

    if (!name)
        return key | 1;
    if (mh_py_type(name) == mh_py.str_type)
        return mh_mix2(key, MH_AT(uint64_t, name, mh_py.at.us_hash) ^ (uintptr_t)name) | 1;
    return mh_mix2(key, MH_AT(uint32_t, name, INT_DIGIT)) | 1;
}

static void say(const char *coroutine, const char *task, _Atomic uint64_t *slot, uint64_t key)
{
    MH_BUF(text, (WAITERS + 1) * (LONGEST * 4 + MH_NAME_MAX * 4 + 4));

    add_task(&text, task);
    for (int i = 0; i < WAITERS && (task = waiter_of(task)); i++) {
        mh_buf_add_char(&text, '\n');
        add_task(&text, task);
    }
    if (mh_event(name, text.data, text.len, .task = (int64_t)(uintptr_t)coroutine))
        atomic_store_explicit(slot, key, memory_order_relaxed);
}

void mh_name_task(const char *coroutine, const struct mh_frame *caller)
{
    const struct mh_layout *at = &mh_py.at;
    const char *handle, *callback, *task;
    _Atomic uint64_t *slot;
    uint64_t key;

    if (!at->as_coro || !at->fr_locals || !runs_handle(caller->code))
        return;
    handle = (const char *)(MH_AT(uintptr_t, caller->frame, at->fr_locals) & ~(uintptr_t)7);
    if (!handle || handle == mh_py.none)
        return;
    callback = MH_AT(char *, handle, HANDLE_CALLBACK);
    task = callback ? task_of(callback) : NULL;
    if (!task || !has_room(task) || MH_AT(char *, task, at->as_coro) != coroutine)
        return;
    key = key_of(coroutine, task);
    slot = &names.seen[mh_mix((uintptr_t)coroutine) % SEEN];
    if (MH_UNLIKELY(atomic_load_explicit(slot, memory_order_relaxed) != key))
        say(coroutine, task, slot, key);
}

void mh_name_greenlet(uint64_t task, const char *code)
{
    const char *greenlet = (const char *)(uintptr_t)(task & ~(uint64_t)1), *type, *dot;
    _Atomic uint64_t *slot = &names.seen[mh_mix(task) % SEEN];
    MH_BUF(text, MH_NAME_MAX * 5 + 1);

    if (MH_LIKELY(atomic_load_explicit(slot, memory_order_relaxed) == task))
        return;
    type = MH_AT(char *, mh_py_type(greenlet), mh_py.at.ty_name);
    dot = strrchr(type, '.');
    mh_buf_add(&text, dot ? dot + 1 : type);
    mh_buf_add_char(&text, '\t');
    mh_code_add_name(&text, code, NULL);
    if (mh_event(name, text.data, text.len, .task = (int64_t)task))
        atomic_store_explicit(slot, task, memory_order_relaxed);
}

void mh_name_greenlet_made(uint64_t task)
{
    _Atomic uint64_t *slot = &names.seen[mh_mix(task) % SEEN];

    if (atomic_load_explicit(slot, memory_order_relaxed) == task)
        atomic_store_explicit(slot, 0, memory_order_relaxed);
}

void mh_name_thread(void)
{
    uint32_t recording = atomic_load_explicit(&names.recording, memory_order_relaxed);
    char comm[COMM + 1] = "";

    if (MH_LIKELY(named == recording))
        return;
    named = recording;
    mh_sys(SYS_prctl, PR_GET_NAME, comm, 0, 0, 0);
    mh_event(name, comm, strlen(comm), .task = 0);
}

/* An attribute or an item by a method, a new reference; the object is given back. */
static char *step(char *object, const char *attribute, const char *format, uintptr_t argument)
{
    char *value;

    if (!object)
        return NULL;
    value = format ? mh_py.PyObject_CallMethod(object, attribute, format, argument)
                   : mh_py.PyObject_GetAttrString(object, attribute);
    mh_py.Py_DecRef(object);
    if (!value)
        mh_py.PyErr_Clear();
    return value;
}

void mh_name_thread_gil(void)
{
    uint32_t recording = atomic_load_explicit(&names.recording, memory_order_relaxed);
    MH_BUF(text, LONGEST * 4 + 1);
    char *object;

    if (MH_LIKELY(named_gil == recording))
        return;
    named_gil = recording;
    object = mh_py.PySys_GetObject("modules"); /* borrowed */
    if (!object)
        return;
    mh_py.Py_IncRef(object);
    object = step(object, "get", "s", (uintptr_t) "threading");
    object = step(object, "_active", NULL, 0);
    object = step(object, "get", "k", (uintptr_t)pthread_self());
    object = step(object, "_name", NULL, 0);
    if (object && mh_str_add(&text, object, LONGEST, false))
        mh_event(name, text.data, text.len, .task = 0);
    if (object)
        mh_py.Py_DecRef(object);
}
