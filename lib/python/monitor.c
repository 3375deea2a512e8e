/* SPDX-License-Identifier: Apache-2.0 */
/* sys.monitoring (PEP 669). Raising, handling and unwinding are told for all code once we are
 * armed; lines and returns only of the code that handles a followed exception, while it does. */
#include "python/monitor.h"

#include <errno.h>
#include <stdatomic.h>

#include "python/api.h"
#include "python/follow.h"

#include "base/banned.h"

enum {
    CODES = 32,       /* code objects whose lines are told at a time */
    IDLE_MAX = 10000, /* callbacks without anything to follow, then they are taken away */
    FASTCALL = 0x80,  /* METH_FASTCALL of CPython */
};

/* PyMethodDef of CPython, part of its stable ABI. */
struct method {
    const char *name;
    void *(*call)(void *self, void *const *args, long n);
    int flags;
    const char *doc;
};

static struct {
    atomic_bool armed;
    bool registered, updating;
    int tool, idle;
    long global, local; /* sets of events */
    void *monitoring;   /* sys.monitoring, a reference of ours */
    const char *codes[CODES];
    unsigned ncodes;
} monitor;

/* Calls a function of sys.monitoring with an int and up to two more arguments. */
#define CALL(name, format, ...)                                                                    \
    call_done(mh_py.PyObject_CallMethod(monitor.monitoring, name, "i" format, monitor.tool,        \
                                        ##__VA_ARGS__))
static bool call_done(void *result)
{
    if (!result)
        mh_py.PyErr_Clear();
    else
        mh_py.Py_DecRef(result);
    return result;
}

static bool codes_have(const char *const codes[], unsigned n, const char *code)
{
    for (unsigned i = 0; i < n; i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* Lines and returns are told for exactly the code objects that are asked for now. */
static void codes_update(void)
{
    const char *wanted[CODES];
    unsigned n = mh_follow_codes(wanted, CODES), kept = 0;

    if (monitor.updating || (!n && !monitor.ncodes))
        return;
    monitor.updating = true; /* a collection may run in here, and let other threads go on */
    for (unsigned i = 0; i < monitor.ncodes; i++) {
        if (codes_have(wanted, n, monitor.codes[i])) {
            monitor.codes[kept++] = monitor.codes[i];
            continue;
        }
        CALL("set_local_events", "Oi", monitor.codes[i], 0);
        mh_py.Py_DecRef((void *)(uintptr_t)monitor.codes[i]);
    }
    monitor.ncodes = kept;
    for (unsigned i = 0; i < n && monitor.ncodes < CODES; i++) {
        if (codes_have(monitor.codes, monitor.ncodes, wanted[i]))
            continue;
        if (!CALL("set_local_events", "Oi", wanted[i], (int)monitor.local))
            continue;
        mh_py.Py_IncRef((void *)(uintptr_t)wanted[i]);
        monitor.codes[monitor.ncodes++] = wanted[i];
    }
    monitor.updating = false;
}

static void disarm(void)
{
    CALL("set_events", "i", 0);
    atomic_store(&monitor.armed, false);
    monitor.idle = 0;
    mh_follow_reset();
}

/* Every callback begins here: is there anything to follow, and is this Python's innermost frame? */
static bool begin(void *code, struct mh_moment *m)
{
    if (mh_follow_live()) {
        monitor.idle = 0;
    } else if (++monitor.idle > IDLE_MAX) {
        disarm();
        return false;
    }
    if (!mh_follow_any())
        return false;
    return mh_follow_moment(m) && m->f.code == code;
}

static void *end(void)
{
    codes_update();
    mh_py.Py_IncRef(mh_py.none);
    return mh_py.none;
}

static void offset_set(struct mh_moment *m, void *offset)
{
    m->offset = (int)mh_py.PyLong_AsLong(offset);
    m->line = mh_code_line(m->f.code, m->offset);
}

/* Arguments: code, offset of the instruction, exception. */
#define EXCEPTION_CALLBACK(name, function)                                                         \
    static void *name(void *self, void *const *args, long n)                                       \
    {                                                                                              \
        struct mh_moment m;                                                                        \
                                                                                                   \
        (void)self;                                                                                \
        if (n >= 3 && begin(args[0], &m)) {                                                        \
            offset_set(&m, args[1]);                                                               \
            function(&m, args[2]);                                                                 \
        }                                                                                          \
        return end();                                                                              \
    }
EXCEPTION_CALLBACK(on_raise, mh_follow_raise)
EXCEPTION_CALLBACK(on_handled, mh_follow_caught)
EXCEPTION_CALLBACK(on_reraise, mh_follow_reraise)
EXCEPTION_CALLBACK(on_unwind, mh_follow_unwind)

/* Arguments: code, line number. */
static void *on_line(void *self, void *const *args, long n)
{
    struct mh_moment m;

    (void)self;
    if (n >= 2 && begin(args[0], &m)) {
        m.line = (int)mh_py.PyLong_AsLong(args[1]);
        mh_follow_step(&m, false);
    }
    return end();
}

/* Arguments: code, offset, value. */
static void *on_return(void *self, void *const *args, long n)
{
    struct mh_moment m;

    (void)self;
    if (n >= 2 && begin(args[0], &m)) {
        offset_set(&m, args[1]);
        mh_follow_step(&m, true);
    }
    return end();
}

static struct callback {
    const char *event;
    struct method method;
    bool local;
} callbacks[] = {
    {"RAISE", {"raise", on_raise, FASTCALL, NULL}, false},
    {"RERAISE", {"reraise", on_reraise, FASTCALL, NULL}, false},
    {"EXCEPTION_HANDLED", {"handled", on_handled, FASTCALL, NULL}, false},
    {"PY_UNWIND", {"unwind", on_unwind, FASTCALL, NULL}, false},
    {"LINE", {"line", on_line, FASTCALL, NULL}, true},
    {"PY_RETURN", {"return", on_return, FASTCALL, NULL}, true},
};

/* Number of an event; 0 when there is none of that name. */
static int event_number(void *events, const char *name)
{
    void *value = mh_py.PyObject_GetAttrString(events, name);
    long number = value ? mh_py.PyLong_AsLong(value) : 0;

    if (!value || number < 0)
        mh_py.PyErr_Clear();
    if (value)
        mh_py.Py_DecRef(value);
    return number > 0 ? (int)number : 0;
}

static int callback_register(void *events, struct callback *c)
{
    void *function = mh_py.PyCFunction_NewEx(&c->method, NULL, NULL);
    int number = event_number(events, c->event);
    bool ok;

    if (!function || !number) {
        mh_py.PyErr_Clear();
        return -ENOSYS;
    }
    ok = CALL("register_callback", "iO", number, function);
    mh_py.Py_DecRef(function);
    if (c->local)
        monitor.local |= number;
    else
        monitor.global |= number;
    return ok ? 0 : -ENOSYS;
}

/* Tools 0, 1, 2 and 5 are promised to debuggers, coverage, profilers and optimisers. */
static int tool_take(void)
{
    for (monitor.tool = 4; monitor.tool >= 3; monitor.tool--)
        if (CALL("use_tool_id", "s", "mishap"))
            return 0;
    return -EBUSY;
}

bool mh_monitor_armed(void)
{
    return atomic_load_explicit(&monitor.armed, memory_order_relaxed);
}

int mh_monitor_arm(void)
{
    void *events;
    int r = 0;

    if (!monitor.registered) {
        monitor.monitoring = mh_py.PySys_GetObject("monitoring");
        if (!monitor.monitoring)
            return -ENOSYS;
        r = tool_take();
        if (r)
            return r;
        mh_py.Py_IncRef(monitor.monitoring);
        events = mh_py.PyObject_GetAttrString(monitor.monitoring, "events");
        if (!events) {
            mh_py.PyErr_Clear();
            return -ENOSYS;
        }
        for (unsigned i = 0; i < ARRAY_SIZE(callbacks) && !r; i++)
            r = callback_register(events, &callbacks[i]);
        mh_py.Py_DecRef(events);
        if (r)
            return r;
        monitor.registered = true;
    }
    if (!CALL("set_events", "i", (int)monitor.global))
        return -ENOSYS;
    atomic_store(&monitor.armed, true);
    return 0;
}
