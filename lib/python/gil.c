/* SPDX-License-Identifier: Apache-2.0 */
/* See gil.h. Python gives up the GIL before it calls recv(), and a call that comes from Python's
 * own code holds no other lock: there we may wait for the GIL as Python itself will in a moment. A
 * library between (SQLite, stdio) may hold a lock of its own across the call. Should a thread that
 * has the GIL wait for that lock, both would wait for ever, which they never would without us. So
 * there we wait a little for a moment at which nobody has the GIL, and otherwise do without. */
#include "python/gil.h"

#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/sys.h"
#include "python/api.h"

#include "base/banned.h"

enum { PATIENCE_MS = 20, LOOK_EVERY_US = 50, PLACES = 64 };

/* Is the interpreter in this object? Then its addresses are those of its own code. */
static int object_look(struct dl_phdr_info *info, size_t size, void *unused)
{
    uintptr_t own = (uintptr_t)mh_py.PyGILState_Ensure;

    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + p->p_vaddr, to = from + p->p_memsz;

        if (p->p_type != PT_LOAD || own < from || own >= to)
            continue;
        mh_py.text[0] = from;
        mh_py.text[1] = to;
        return 1;
    }
    return 0;
}

void mh_gil_init(void)
{
    if (mh_py.PyGILState_Ensure)
        dl_iterate_phdr(object_look, NULL);
}

/* Places that called, and in the lowest bit whether they are Python's. */
static _Atomic uintptr_t places[PLACES];

/* Python itself, or a module of its standard library. */
static bool from_python(const struct mh_caller *from)
{
    uintptr_t address = (uintptr_t)from->address, known;
    char path[512];
    bool own;

    if (address >= mh_py.text[0] && address < mh_py.text[1])
        return true;
    if (!from->object)
        return false;
    known = atomic_load_explicit(&places[mh_mix(address) % PLACES], memory_order_relaxed);
    if (known >> 1 == address)
        return known & 1;
    own = from->object(from->address, path, sizeof(path)) && strstr(path, "/lib-dynload/");
    atomic_store_explicit(&places[mh_mix(address) % PLACES], address << 1 | own,
                          memory_order_relaxed);
    return own;
}

/* 0 nobody has it, 1 somebody has, -1 that cannot be told. */
static int gil_locked(const char *ts)
{
    const struct mh_layout *at = &mh_py.at;
    const char *gil = mh_py.runtime, *interp;
    int32_t locked;

    if (!at->gil_locked || !gil)
        return -1;
    if (at->in_gil) {
        interp = at->ts_interp ? MH_AT(char *, ts, at->ts_interp) : NULL;
        gil = interp ? MH_AT(char *, interp, at->in_gil) : NULL;
        if (!gil)
            return -1;
    }
    locked =
        __atomic_load_n((const int32_t *)(const void *)(gil + at->gil_locked), __ATOMIC_ACQUIRE);
    return locked == 0 || locked == 1 ? locked : -1;
}

/* What is left: a thread that takes the GIL between our look and our taking it, some hundred
 * nanoseconds later, and then waits for the very lock; or while Python, for us, gives it away to
 * somebody who has asked for 5 ms. */
bool mh_gil_take(const char *ts, const struct mh_caller *from, int *ret_state)
{
    struct timespec pause = {0, LOOK_EVERY_US * 1000};
    int64_t end = mh_now() + PATIENCE_MS * INT64_C(1000000);

    while (!mh_py.PyGILState_Check() && gil_locked(ts) != 0 && !from_python(from)) {
        if (mh_now() >= end)
            return false;
        mh_sys(SYS_nanosleep, &pause, NULL);
    }
    *ret_state = mh_py.PyGILState_Ensure();
    return true;
}
