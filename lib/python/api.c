/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the interpreter among what is loaded; see api.h. Called once, by the constructor. */
#include "python/api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "event/write.h"
#include "python/gil.h"
#include "python/handover.h"
#include "python/lineage.h"
#include "python/outcome.h"
#include "python/python.h"
#include "python/stack.h"
#include "python/work.h"

#include "base/libc.h"
#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

MH_OLD_DLSYM;

struct mh_py mh_py;

/* POSIX lets a function's address come as an object's; ISO C has no cast for it. */
static void symbol(const char *name, void *ret)
{
    void *p = dlsym(RTLD_DEFAULT, name);

    memcpy(ret, &p, sizeof(p));
}

/* "3.10.13 (main, ...": Py_Version came with 3.11. */
static uint32_t version_parse(const char *s)
{
    uint32_t part[3] = {0};

    for (int i = 0; i < 3; i++, s++) {
        for (; *s >= '0' && *s <= '9'; s++)
            part[i] = part[i] * 10 + (uint32_t)(*s - '0');
        if (*s != '.')
            break;
    }
    return part[0] << 24 | part[1] << 16 | part[2] << 8 | 0xf0;
}

static uint32_t version_find(void)
{
    const char *(*text)(void);
    const unsigned long *word;

    symbol("Py_Version", &word);
    if (word)
        return (uint32_t)*word;
    symbol("Py_GetVersion", &text);
    return text ? version_parse(text()) : 0;
}

void mh_python_init(void)
{
    bool whole = true;

    mh_py = (struct mh_py){.hex = version_find()};
    mh_stack_reset();
    mh_outcome_reset();
    if (!mh_py.hex)
        return;
#define F(type, name, params) symbol(#name, &mh_py.name);
    MH_PY_STACK_FUNCTIONS(F)
    MH_PY_OUTCOME_FUNCTIONS(F)
#undef F
#define F(type, name, params) whole = whole && mh_py.name;
    MH_PY_OUTCOME_FUNCTIONS(F)
#undef F
    symbol("Py_IsFinalizing", &mh_py.finalizing);
    if (!mh_py.finalizing)
        symbol("_Py_IsFinalizing", &mh_py.finalizing);
    if (mh_py.hex < 0x030b0000)
        symbol("PyFrame_GetLineNumber", &mh_py.frame_line);
    if (mh_py.hex < 0x030c0000)
        symbol("_PyEval_SetTrace", &mh_py.trace_thread);
    symbol("PyInterpreterState_ThreadHead", &mh_py.thread_head);
    symbol("PyThreadState_Next", &mh_py.thread_next);
    if (mh_sys_gettid() == mh_sys_getpid()) /* it need not be, when we come late */
        mh_py.main_thread = (uintptr_t)pthread_self();
    symbol("PyCode_Addr2Line", &mh_py.code_line);
    symbol("PyFrame_Type", &mh_py.frame_type);
    symbol("PyCode_Type", &mh_py.code_type);
    symbol("PyUnicode_Type", &mh_py.str_type);
    symbol("PyBytes_Type", &mh_py.bytes_type);
    symbol("PyCoro_Type", &mh_py.coro_type);
    symbol("PyTuple_Type", &mh_py.tuple_type);
    symbol("PyExc_OSError", &mh_py.os_error);
    symbol("PyExc_MemoryError", &mh_py.memory_error);
    symbol("PyExc_StopIteration", &mh_py.stop_iteration);
    symbol("PyExc_StopAsyncIteration", &mh_py.stop_async);
    symbol("_Py_NoneStruct", &mh_py.none);
    symbol("_PyRuntime", &mh_py.runtime);
    mh_gil_init();
    mh_py.can_follow = whole && mh_py.os_error && mh_py.memory_error && mh_py.stop_iteration &&
                       mh_py.stop_async && mh_py.none;
    mh_py.found = mh_py.PyGILState_GetThisThreadState && mh_py.finalizing && mh_py.code_type &&
                  mh_py.str_type && mh_py.bytes_type && mh_py.coro_type && mh_py.tuple_type &&
                  mh_layout_find(mh_py.hex, mh_py.runtime, &mh_py.at) == 0;
}

bool mh_python_known(void)
{
    return mh_py.found;
}

uint32_t mh_python_version(void)
{
    return mh_py.hex;
}

static void anew(void)
{
    mh_stack_reset();
    mh_work_reset();
    mh_lineage_reset();
}

void mh_python_anew(void)
{
    anew();
    mh_outcome_reset();
}

void mh_python_after_fork(void)
{
    mh_py.main_thread = (uintptr_t)pthread_self();
    anew();
    mh_handover_after_fork();
    mh_outcome_after_fork();
}
