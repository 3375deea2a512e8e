/* SPDX-License-Identifier: Apache-2.0 */
/* See handover.h. asyncio makes a task, an executor puts an item into its queue and a thread takes
 * it out, a context is copied and another thread runs in it: all of them in C, by a function whose
 * address stands in a type or in the definition of a method. There ours is put, which calls the
 * other. Nothing of this can be seen by Python code, and no frame is added. Once in place they
 * stay: the library is never unloaded. */
#include "python/handover.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>

#include "base/lock.h"
#include "base/macros.h"
#include "base/sys.h"
#include "python/api.h"
#include "python/gil.h"
#include "python/greenlet.h"
#include "python/lineage.h"
#include "python/outcome.h"
#include "python/python.h"
#include "python/stack.h"

#include "base/banned.h"

enum {
    /* The same in every version from 3.8 on: */
    TYPE_INIT = 296,     /* PyTypeObject.tp_init */
    DESCRIPTOR_DEF = 40, /* PyMethodDescrObject.d_method */
    FUNCTION_DEF = 16,   /* PyCFunctionObject.m_ml */
    DEF_FUNCTION = 8,    /* PyMethodDef */
    DEF_FLAGS = 16,
    TUPLE_SIZE = 16,
    /* METH_ flags of a definition: what its function is called with */
    NO_ARGUMENTS = 0x04,
    FAST_WORDS = 0x80 | 0x02,
    FAST_WORDS_CLASS = 0x80 | 0x02 | 0x200,
};

typedef int (*init_fn)(void *, void *, void *);
typedef void *(*plain_fn)(void *, void *);
typedef void *(*fast_fn)(void *, void *const *, intptr_t, void *);
typedef void *(*class_fn)(void *, void *, void *const *, intptr_t, void *);

/* What was there before; of a method, one for each way in which versions call it. */
static struct {
    init_fn task;
    plain_fn copy, get_now;
    fast_fn put, get, run;
    class_fn class_get, class_get_now;
} real;

static int task_init(void *task, void *args, void *words)
{
    const char *ts = mh_stack_thread();

    if (ts && args && MH_AT(int64_t, args, TUPLE_SIZE) > 0)
        mh_lineage_begun(ts, MH_LINEAGE_task, MH_AT(char *, args, mh_py.at.tu_data));
    return real.task(task, args, words);
}

static void *context_copy(void *module, void *unused)
{
    void *context = real.copy(module, unused);
    const char *ts = context ? mh_stack_thread() : NULL;

    if (ts)
        mh_lineage_begun(ts, MH_LINEAGE_context, context);
    return context;
}

/* In a context that another thread has copied this one works for who did that. */
static void *context_run(void *context, void *const *args, intptr_t n, void *words)
{
    struct mh_lineage_before before = mh_lineage_enter(context);
    void *result = real.run(context, args, n, words);

    mh_lineage_return(before);
    return result;
}

/* What an executor hands to a thread, and no other contents of a queue. */
static bool is_item(const void *object)
{
    return !strcmp(MH_AT(char *, mh_py_type(object), mh_py.at.ty_name), "_WorkItem");
}

static void *queue_put(void *queue, void *const *args, intptr_t n, void *words)
{
    const char *ts = n > 0 && is_item(args[0]) ? mh_stack_thread() : NULL;

    if (ts)
        mh_lineage_begun(ts, MH_LINEAGE_item, args[0]);
    return real.put(queue, args, n, words);
}

static void *taken(void *queue, void *item)
{
    if (item && is_item(item))
        mh_lineage_take(queue, item);
    return item;
}

static void *queue_get(void *queue, void *const *args, intptr_t n, void *words)
{
    mh_lineage_idle(queue);
    return taken(queue, real.get(queue, args, n, words));
}

static void *queue_class_get(void *queue, void *type, void *const *args, intptr_t n, void *words)
{
    mh_lineage_idle(queue);
    return taken(queue, real.class_get(queue, type, args, n, words));
}

static void *queue_get_now(void *queue, void *unused)
{
    mh_lineage_idle(queue);
    return taken(queue, real.get_now(queue, unused));
}

static void *queue_class_get_now(void *queue, void *type, void *const *args, intptr_t n,
                                 void *words)
{
    mh_lineage_idle(queue);
    return taken(queue, real.class_get_now(queue, type, args, n, words));
}

/* A function of a module (no type), a method of a type, or (no name) what makes an object of it.
 * `real` is where the old address goes. Without ours it is greenlet's own table, of several. */
static const struct place {
    const char *module, *type, *name;
    int flags;
    mh_any_fn ours;
    void *real;
} places[] = {
    {"_asyncio", "Task", NULL, 0, (mh_any_fn)task_init, &real.task},
    {"_contextvars", NULL, "copy_context", NO_ARGUMENTS, (mh_any_fn)context_copy, &real.copy},
    {"_contextvars", "Context", "run", FAST_WORDS, (mh_any_fn)context_run, &real.run},
    {"_queue", "SimpleQueue", "put", FAST_WORDS, (mh_any_fn)queue_put, &real.put},
    {"_queue", "SimpleQueue", "get", FAST_WORDS, (mh_any_fn)queue_get, &real.get},
    {"_queue", "SimpleQueue", "get", FAST_WORDS_CLASS, (mh_any_fn)queue_class_get, &real.class_get},
    {"_queue", "SimpleQueue", "get_nowait", NO_ARGUMENTS, (mh_any_fn)queue_get_now, &real.get_now},
    {"_queue", "SimpleQueue", "get_nowait", FAST_WORDS_CLASS, (mh_any_fn)queue_class_get_now,
     &real.class_get_now},
    {"greenlet._greenlet", "_C_API", NULL, 0, NULL, NULL},
};

static struct {
    uint32_t lock;
    atomic_uint left; /* bit per place that was not looked at yet */
    atomic_bool tried;
} state = {.left = (1u << ARRAY_SIZE(places)) - 1};

void mh_handover_after_fork(void)
{
    state.lock = 0;
}

/* An attribute, or an item of a dict; a new reference, NULL none. */
static char *get(void *object, const char *method, const char *name)
{
    char *value = method ? mh_py.PyObject_CallMethod(object, method, "s", name)
                         : mh_py.PyObject_GetAttrString(object, name);

    if (!value)
        mh_py.PyErr_Clear();
    if (value == mh_py.none) {
        mh_py.Py_DecRef(value);
        value = NULL;
    }
    return value;
}

static bool type_is(const char *object, const char *name)
{
    return !strcmp(MH_AT(char *, mh_py_type(object), mh_py.at.ty_name), name);
}

void mh_handover_exchange(const char *at, mh_any_fn ours, void *ret_real)
{
    void *old, **where = (void **)(uintptr_t)at;
    struct iovec here = {&old, sizeof(old)}, there = {where, sizeof(old)};
    void *new;

    old = *where;
    if (!old ||
        mh_sys(SYS_process_vm_writev, mh_sys_getpid(), &here, 1, &there, 1, 0) != (long)sizeof(old))
        return;
    memcpy(ret_real, &old, sizeof(old));
    memcpy(&new, &ours, sizeof(new));
    __atomic_store_n(where, new, __ATOMIC_RELEASE);
}

static void place_in(const struct place *p, char *holder)
{
    char *function = p->name ? get(holder, NULL, p->name) : NULL;
    const char *def = NULL;

    if (!p->ours)
        mh_greenlet_place(holder);
    else if (!p->name)
        mh_handover_exchange(holder + TYPE_INIT, p->ours, p->real);
    else if (function && type_is(function, "method_descriptor"))
        def = MH_AT(char *, function, DESCRIPTOR_DEF);
    else if (function && type_is(function, "builtin_function_or_method"))
        def = MH_AT(char *, function, FUNCTION_DEF);
    if (def && !strcmp(MH_AT(char *, def, 0), p->name) && MH_AT(int, def, DEF_FLAGS) == p->flags)
        mh_handover_exchange(def + DEF_FUNCTION, p->ours, p->real);
    if (function)
        mh_py.Py_DecRef(function);
}

/* Under the GIL. What is not imported yet is left for later. */
static void place_all(void)
{
    void *modules = mh_py.PySys_GetObject("modules"); /* borrowed */

    for (unsigned i = 0; modules && i < ARRAY_SIZE(places); i++) {
        const struct place *p = &places[i];
        char *module, *type;

        if (!(atomic_load(&state.left) & 1u << i))
            continue;
        module = get(modules, "get", p->module);
        if (!module)
            continue;
        atomic_fetch_and(&state.left, ~(1u << i));
        type = p->type ? get(module, NULL, p->type) : NULL;
        if (type || !p->type)
            place_in(p, type ? type : module);
        if (type)
            mh_py.Py_DecRef(type);
        mh_py.Py_DecRef(module);
    }
}

void mh_python_may_hand_over(bool again, const struct mh_caller *from)
{
    int err = errno, gil;
    void *type, *value, *trace;
    const char *ts;

    if (MH_LIKELY(!atomic_load_explicit(&state.left, memory_order_relaxed)) ||
        (!again && atomic_load_explicit(&state.tried, memory_order_relaxed)))
        return;
    ts = mh_stack_thread();
    if (!ts || mh_py.hex >= 0x03100000 || !mh_outcome_may() || !mh_lock_now(&state.lock))
        return;
    if (mh_gil_take(ts, from, &gil)) {
        atomic_store(&state.tried, true);
        mh_py.PyErr_Fetch(&type, &value, &trace);
        place_all();
        mh_py.PyErr_Restore(type, value, trace);
        mh_py.PyGILState_Release(gil);
    }
    mh_lock_open(&state.lock);
    errno = err;
}

void mh_python_thread_made(uintptr_t thread)
{
    int err = errno;
    const char *ts = mh_outcome_may() && mh_py.PyGILState_Check() ? mh_stack_thread() : NULL;

    if (ts)
        mh_lineage_begun(ts, MH_LINEAGE_thread, (const void *)thread);
    else
        mh_lineage_forget(MH_LINEAGE_thread, (const void *)thread);
    errno = err;
}
