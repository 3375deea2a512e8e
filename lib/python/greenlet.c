/* SPDX-License-Identifier: Apache-2.0 */
/* See greenlet.h. Python code switches by the methods of the type, C code by the table that the
 * module gives to others. A call of ours that waits for its return stands on the stack of the
 * greenlet that it leaves, and so knows who runs when it goes on. */
#include "python/greenlet.h"

#include <string.h>

#include "base/macros.h"
#include "python/api.h"
#include "python/handover.h"
#include "python/lineage.h"
#include "python/name.h"
#include "python/outcome.h"
#include "python/stack.h"

#include "base/banned.h"

enum {
    /* Of CPython, the same in every version from 3.8 on: */
    CAPSULE_POINTER = 16,
    CAPSULE_NAME = 24,
    TYPE_METHODS = 232,
    TYPE_INIT = 296,
    WRAPPER_FUNCTION = 48,
    DEF_SIZE = 32,
    DEF_FUNCTION = 8,
    METHODS = 64, /* more than there are */
    /* Of the table, the same in every version from 1.0 on: */
    API_TYPE = 0,
    API_CURRENT = 4,
    API_THROW = 5,
    API_SWITCH = 6,
};

typedef void *(*words_fn)(void *, void *, void *);
typedef void *(*plain_fn)(void *, void *);
typedef void *(*throw_fn)(void *, void *, void *, void *);
typedef void *(*none_fn)(void);

static struct {
    int (*start)(void *, void *, void *);
    words_fn go, api_go;
    plain_fn disturb;
    throw_fn api_disturb;
    none_fn current;
} real;

/* Of this thread: addresses, no references. The first one is as old as the thread. */
static __thread struct {
    const void *first, *now, *loop;
    bool has_loop;
} self;

static uint64_t task_of(const void *greenlet)
{
    return (uintptr_t)greenlet | 1;
}

uintptr_t mh_greenlet_now(void)
{
    return (uintptr_t)self.now;
}

uint64_t mh_greenlet_here(void)
{
    return MH_LIKELY(!self.now) || self.now == self.loop || !self.has_loop ? 0 : task_of(self.now);
}

void mh_greenlet_looped(void)
{
    self.has_loop = true;
    self.loop = self.now;
}

static void *parent_of(void *greenlet)
{
    void *parent = mh_py.PyObject_GetAttrString(greenlet, "parent");

    if (!parent)
        mh_py.PyErr_Clear();
    else
        mh_py.Py_DecRef(parent); /* its child keeps it */
    return parent == mh_py.none ? NULL : parent;
}

/* The greenlet that calls; NULL: the thread's first one. */
static const void *current(void)
{
    void *now = real.current(), *first = now, *parent;

    if (!now) {
        mh_py.PyErr_Clear();
        return NULL;
    }
    mh_py.Py_DecRef(now); /* it runs: somebody has it */
    if (MH_UNLIKELY(!self.first)) {
        while ((parent = parent_of(first)))
            first = parent;
        self.first = first;
    }
    return now == self.first ? NULL : now;
}

/* Those of a loop come back to it in the end, and it to the first one, before it has waited. What
 * gevent's pools of threads run comes back to the first one: such a thread is a thread. */
static bool has_loop(void *other)
{
    const void *parent = parent_of(other);

    return parent && parent != self.first;
}

static const void *leave_for(void *other)
{
    const void *mine = current();

    self.now = other == self.first ? NULL : other;
    if (MH_UNLIKELY(self.now && !self.has_loop))
        self.has_loop = has_loop(other);
    return mine;
}

static void back_to(const void *mine)
{
    self.now = mine;
    mh_outcome_switched();
}

static void *go(void *other, void *args, void *words)
{
    const void *mine = leave_for(other);
    void *result = real.go(other, args, words);

    back_to(mine);
    return result;
}

static void *api_go(void *other, void *args, void *words)
{
    const void *mine = leave_for(other);
    void *result = real.api_go(other, args, words);

    back_to(mine);
    return result;
}

static void *disturb(void *other, void *args)
{
    const void *mine = leave_for(other);
    void *result = real.disturb(other, args);

    back_to(mine);
    return result;
}

static void *api_disturb(void *other, void *type, void *value, void *trace)
{
    const void *mine = leave_for(other);
    void *result = real.api_disturb(other, type, value, trace);

    back_to(mine);
    return result;
}

/* Whoever makes it begins what it will do. Its __new__ is left alone: Python compares that of a
 * type and of its bases. */
static int start(void *greenlet, void *args, void *words)
{
    const char *ts = mh_stack_thread();

    if (ts) {
        mh_name_greenlet_made(task_of(greenlet));
        mh_lineage_begun(ts, MH_LINEAGE_task, (const void *)task_of(greenlet));
    }
    return real.start(greenlet, args, words);
}

/* Classes of C code call it by the type's __init__, which has the function's address by itself. */
static void place_start(const char *type)
{
    char *init = mh_py.PyObject_GetAttrString((void *)(uintptr_t)type, "__init__");

    if (!init) {
        mh_py.PyErr_Clear();
        return;
    }
    if (!strcmp(MH_AT(char *, mh_py_type(init), mh_py.at.ty_name), "wrapper_descriptor") &&
        MH_AT(void *, init, WRAPPER_FUNCTION) == MH_AT(void *, type, TYPE_INIT)) {
        mh_handover_exchange(type + TYPE_INIT, (mh_any_fn)start, &real.start);
        mh_handover_exchange(init + WRAPPER_FUNCTION, (mh_any_fn)start, &real.start);
    }
    mh_py.Py_DecRef(init);
}

static void place_method(const char *methods, const char *name, mh_any_fn ours, void *ret_real)
{
    for (int i = 0; i < METHODS && MH_AT(char *, methods, 0); i++, methods += DEF_SIZE)
        if (!strcmp(MH_AT(char *, methods, 0), name))
            mh_handover_exchange(methods + DEF_FUNCTION, ours, ret_real);
}

void mh_greenlet_place(const char *capsule)
{
    const char *name, *table, *type;

    if (strcmp(MH_AT(char *, mh_py_type(capsule), mh_py.at.ty_name), "PyCapsule") != 0)
        return;
    name = MH_AT(char *, capsule, CAPSULE_NAME);
    table = MH_AT(char *, capsule, CAPSULE_POINTER);
    type = table ? MH_AT(char *, table, API_TYPE * 8) : NULL;
    if (!type || !name || strcmp(name, "greenlet._C_API") != 0 ||
        strcmp(MH_AT(char *, type, mh_py.at.ty_name), "greenlet.greenlet") != 0)
        return;
    memcpy(&real.current, table + API_CURRENT * 8, sizeof(real.current));
    place_start(type);
    mh_handover_exchange(table + API_SWITCH * 8, (mh_any_fn)api_go, &real.api_go);
    mh_handover_exchange(table + API_THROW * 8, (mh_any_fn)api_disturb, &real.api_disturb);
    place_method(MH_AT(char *, type, TYPE_METHODS), "switch", (mh_any_fn)go, &real.go);
    place_method(MH_AT(char *, type, TYPE_METHODS), "throw", (mh_any_fn)disturb, &real.disturb);
}
