/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of this process: its functions and types by dlsym, its version, its layout and
 * whether that was proved. Only for this room. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "python/layouts.h"

/* Functions without which stacks are not read (first group) or errors not followed (second).
 * Objects are `void *` here: nothing of Python.h is used. */
#define MH_PY_STACK_FUNCTIONS(F) F(void *, PyGILState_GetThisThreadState, (void))
#define MH_PY_OUTCOME_FUNCTIONS(F)                                                                 \
    F(int, PyGILState_Check, (void))                                                               \
    F(int, PyGILState_Ensure, (void))                                                              \
    F(void, PyGILState_Release, (int))                                                             \
    F(void, PyErr_Fetch, (void **, void **, void **))                                              \
    F(void, PyErr_Restore, (void *, void *, void *))                                               \
    F(void, PyErr_Clear, (void))                                                                   \
    F(void, PyErr_GetExcInfo, (void **, void **, void **))                                         \
    F(int, PyErr_GivenExceptionMatches, (void *, void *))                                          \
    F(void *, PyException_GetContext, (void *))                                                    \
    F(void *, PyException_GetCause, (void *))                                                      \
    F(void *, PyException_GetTraceback, (void *))                                                  \
    F(void *, PyObject_GetAttrString, (void *, const char *))                                      \
    F(void *, PyObject_CallMethod, (void *, const char *, const char *, ...))                      \
    F(void *, PyObject_CallFunction, (void *, const char *, ...))                                  \
    F(void *, PyCFunction_NewEx, (void *, void *, void *))                                         \
    F(void *, PySys_GetObject, (const char *))                                                     \
    F(long, PyLong_AsLong, (void *))                                                               \
    F(void, PyEval_SetTrace, (int (*)(void *, void *, int, void *), void *))                       \
    F(void, Py_IncRef, (void *))                                                                   \
    F(void, Py_DecRef, (void *))

struct mh_py {
    bool found;         /* an interpreter that lib/python knows */
    bool can_follow;    /* every function of the second group is there */
    _Atomic int proved; /* 0 not tried, 1 the layout holds, -1 it does not */
    uint32_t hex;       /* PY_VERSION_HEX, 0: no interpreter */
    struct mh_layout at;
    const char *code_type, *str_type, *bytes_type, *coro_type, *tuple_type;
    void **os_error, **memory_error, **stop_iteration, **stop_async; /* where PyExc_* are kept */
    void *none;
    const char *runtime; /* _PyRuntime */
    uintptr_t text[2];   /* where the interpreter's own code is */
    int (*finalizing)(void);
    int (*frame_line)(void *); /* PyFrame_GetLineNumber; NULL from 3.11 on: frames are no objects */
    int (*code_line)(void *, int); /* PyCode_Addr2Line */
    const char *frame_type;
    uintptr_t main_thread; /* pthread_self() of the main thread */
    /* To reach another thread's trace function; from 3.9 to 3.11, else NULL. */
    int (*trace_thread)(void *, int (*)(void *, void *, int, void *), void *);
    void *(*thread_head)(void *);
    void *(*thread_next)(void *);
#define F(type, name, params) type(*name) params;
    MH_PY_STACK_FUNCTIONS(F)
    MH_PY_OUTCOME_FUNCTIONS(F)
#undef F
};
extern struct mh_py mh_py;

/* A value of `type`, `offset` bytes into an object. */
#define MH_AT(type, object, offset)                                                                \
    (*(const type *)(const void *)((const char *)(object) + (offset)))

/* Type pointer of an object. */
static inline const char *mh_py_type(const char *object)
{
    return MH_AT(char *, object, mh_py.at.ob_type);
}
