/* SPDX-License-Identifier: Apache-2.0 */
/* Native stacks; see native.h. The unwinder is the compiler's own (libgcc_eh, linked in and
 * hidden): it reads the call frame information of what is loaded, needs no memory and opens no
 * files. */
#include "native/native.h"

#include <stdbool.h>
#include <unwind.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/macros.h"
#include "event/write.h"
#include "native/object.h"

#include "base/banned.h"

enum {
    FRAMES = 64,
    STACKS = 512,    /* distinct ones in a recording */
    FIRST = 1 << 20, /* ids below are those of Python's stacks */
    TEXT = 8 << 10,  /* of one record */
};

struct frames {
    uintptr_t at[FRAMES];
    unsigned n;
    bool cut;
};

static struct {
    uint32_t lock;
    uint32_t n;
    bool broken;
    uint64_t keys[STACKS];
    struct frames frames; /* not on the stack of a thread that may have a small one */
    char text[TEXT];
} state;

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
    struct frames *f = arg;
    uintptr_t at = _Unwind_GetIP(context);

    if (!at)
        return _URC_END_OF_STACK;
    if (f->n == FRAMES) {
        f->cut = true;
        return _URC_END_OF_STACK;
    }
    f->at[f->n++] = at - 1; /* within the call, not after it */
    return _URC_NO_REASON;
}

/* A line per frame: nearest exported name, object. No line numbers: those need files to be read.
 * Returns how many; those of this library are left out. */
static int describe(const struct frames *f, struct mh_buf *b)
{
    uintptr_t us = mh_object_of((uintptr_t)mh_native_stack).base;
    int kept = 0;

    for (unsigned i = 0; i < f->n; i++) {
        struct mh_object o = mh_object_of(f->at[i]);
        size_t before = b->len;

        if (o.base == us)
            continue;
        mh_buf_add(b, mh_object_symbol(&o, f->at[i]));
        mh_buf_add_char(b, '\t');
        mh_buf_add(b, o.name);
        mh_buf_add(b, "\t0\n");
        if (b->cut) {
            b->len = before;
            break;
        }
        kept++;
    }
    return kept;
}

static uint32_t stack_id(const struct frames *f)
{
    struct mh_buf b = {state.text, sizeof(state.text), 0, false};
    uint64_t key = MH_HASH_START;
    int kept;

    for (unsigned i = 0; i < f->n; i++)
        key = mh_mix2(key, f->at[i]);
    for (uint32_t i = 0; i < state.n; i++)
        if (state.keys[i] == key)
            return FIRST + i;
    if (state.n == STACKS)
        return 0;
    kept = describe(f, &b);
    if (!kept || !mh_event(stack, b.data, b.len, .stack = FIRST + state.n, .frames = kept,
                           .cut = f->cut, .native = 1))
        return 0;
    state.keys[state.n] = key;
    return FIRST + state.n++;
}

uint32_t mh_native_stack(void)
{
    uint32_t id;

    if (state.broken || !mh_writer_ok() || !mh_lock_try(&state.lock))
        return 0;
    state.frames.n = 0;
    state.frames.cut = false;
    _Unwind_Backtrace(on_frame, &state.frames);
    id = stack_id(&state.frames);
    mh_lock_open(&state.lock);
    return id;
}

void mh_native_after_fork(void)
{
    state.n = 0;
    state.broken = state.broken || state.lock;
}
