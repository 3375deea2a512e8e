/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to exception objects; see exc.h. */
#include "python/exc.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"

#include "base/banned.h"

/* How far back a chain of causes is looked at. */
enum { GENERATIONS = 8 };

static void *object(const char *p)
{
    return (void *)(uintptr_t)p;
}

/* An attribute, a new reference; NULL without an error. */
static char *attribute(const char *of, const char *name)
{
    char *value = mh_py.PyObject_GetAttrString(object(of), name);

    if (!value)
        mh_py.PyErr_Clear();
    return value;
}

static void release(char *p)
{
    if (p)
        mh_py.Py_DecRef(p);
}

void mh_exc_type(const char *exc, char *ret)
{
    const char *type = mh_py_type(exc);
    struct mh_buf b = {ret, MH_TYPE_MAX, 0, false};
    char *module = attribute(type, "__module__"), *name = attribute(type, "__qualname__");

    ret[0] = '\0';
    if (module && mh_str_add(&b, module, 80, false)) {
        if (!strcmp(ret, "builtins"))
            b.len = 0;
        else
            mh_buf_add_char(&b, '.');
    }
    if (!name || !mh_str_add(&b, name, 70, false))
        mh_buf_add_char(&b, '?');
    release(module);
    release(name);
}

bool mh_exc_is_stop(const char *exc)
{
    const char *type = mh_py_type(exc);

    return type == *mh_py.stop_iteration || type == *mh_py.stop_async;
}

bool mh_exc_is_patience(const char *exc)
{
    const char *name = MH_AT(char *, mh_py_type(exc), mh_py.at.ty_name);
    const char *dot = strrchr(name, '.');

    name = dot ? dot + 1 : name;
    return !strcmp(name, "CancelledError") || !strcmp(name, "TimeoutError") ||
           !strcmp(name, "Timeout") || !strcmp(name, "timeout");
}

bool mh_exc_descends(const char *exc, const char *from)
{
    if (mh_exc_is_stop(exc))
        return false;
    for (int i = 0; exc && i < GENERATIONS; i++) {
        char *cause = mh_py.PyException_GetCause(object(exc));
        char *context = mh_py.PyException_GetContext(object(exc));

        release(cause); /* the one before keeps both alive */
        release(context);
        if (cause == from || context == from)
            return true;
        exc = context ? context : cause;
    }
    return false;
}

bool mh_exc_is_os(const char *exc)
{
    void *type = object(mh_py_type(exc));

    return mh_py.PyErr_GivenExceptionMatches(type, *mh_py.os_error) ||
           mh_py.PyErr_GivenExceptionMatches(type, *mh_py.memory_error);
}

bool mh_exc_errno_fits(const char *exc, int err)
{
    char *value = mh_exc_is_os(exc) ? attribute(exc, "errno") : NULL;
    long has = 0;

    if (value && value != mh_py.none) {
        has = mh_py.PyLong_AsLong(value);
        if (has == -1)
            mh_py.PyErr_Clear();
    }
    release(value);
    return err ? has == err : has >= ENETDOWN && has <= EINPROGRESS;
}

bool mh_exc_is_new(const char *exc, bool traced)
{
    char *trace = mh_py.PyException_GetTraceback(object(exc)), *next;
    bool one;

    if (!trace || traced) {
        release(trace);
        return !trace;
    }
    next = attribute(trace, "tb_next");
    one = !next || next == mh_py.none;
    release(next);
    release(trace);
    return one;
}

bool mh_exc_handled_is(const char *exc)
{
    void *type = NULL, *value = NULL, *trace = NULL;

    mh_py.PyErr_GetExcInfo(&type, &value, &trace);
    release(type);
    release(value);
    release(trace);
    return value == exc;
}

unsigned mh_exc_opcode(const struct mh_moment *m)
{
    char *bytes = attribute(m->f.code, "co_code");
    unsigned opcode = bytes ? mh_code_opcode(bytes, m->offset) : 0;

    release(bytes);
    return opcode;
}

bool mh_exc_is_yield(const struct mh_moment *m)
{
    return (MH_AT(uint32_t, m->f.code, mh_py.at.co_flags) & MH_CO_SUSPENDS) &&
           mh_exc_opcode(m) != mh_py.at.op_return;
}

bool mh_exc_clause(const struct mh_moment *m, bool *raises)
{
    const struct mh_layout *at = &mh_py.at;
    char *bytes = attribute(m->f.code, "co_code");
    bool clause;

    if (!bytes)
        return false;
    clause = mh_code_line_has(m->f.code, m->line, bytes, at->op_match, at->op_match_arg);
    *raises = mh_code_line_has(m->f.code, m->line, bytes, at->op_raise, 0);
    release(bytes);
    return clause;
}

bool mh_exc_in_coroutine(const char *frame)
{
    struct mh_frame f;

    for (int i = 0; i < 1000 && mh_frame_find(frame, &f); i++) {
        if (mh_frame_coroutine(&f))
            return true;
        frame = mh_frame_back(f.frame);
    }
    return false;
}

bool mh_exc_thread_bottom(const struct mh_moment *m)
{
    MH_BUF(file, MH_FILE_MAX * 4 + 1);
    MH_BUF(other, MH_FILE_MAX * 4 + 1);
    struct mh_frame outer, none;

    if (mh_sys_gettid() == mh_sys_getpid() || !mh_frame_find(mh_frame_back(m->f.frame), &outer) ||
        mh_frame_find(mh_frame_back(outer.frame), &none))
        return false;
    mh_str_add(&file, MH_AT(char *, m->f.code, mh_py.at.co_filename), MH_FILE_MAX, true);
    mh_str_add(&other, MH_AT(char *, outer.code, mh_py.at.co_filename), MH_FILE_MAX, true);
    return !strcmp(file.data, other.data) && mh_file_foreign(file.data);
}
