/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of the layout: see prove.h. Everything is read by process_vm_readv() on ourselves, so a
 * wrong pointer is an error and not a crash; where a container forbids that call, mincore() says
 * whether a page is there. */
#include "python/prove.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>

#include "base/sys.h"
#include "event/write.h"
#include "python/api.h"
#include "python/frame.h"

#include "base/banned.h"

enum { DEEPEST = 100000, LOOKED_AT = 24 };

static bool page_there(uintptr_t page)
{
    unsigned char in[1];

    return mh_sys(SYS_mincore, page, 4096, in) == 0;
}

static bool peek(const char *from, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)from, n};
    long r;

    if ((uintptr_t)from < 4096)
        return false;
    r = mh_sys(SYS_process_vm_readv, mh_sys_getpid(), &here, 1, &there, 1, 0);
    if (r == (long)n)
        return true;
    if (r != -EPERM && r != -ENOSYS)
        return false;
    if (!page_there((uintptr_t)from & ~(uintptr_t)4095) ||
        !page_there(((uintptr_t)from + n - 1) & ~(uintptr_t)4095))
        return false;
    memcpy(to, from, n);
    return true;
}

static bool peek_word(const char *object, unsigned offset, void *to)
{
    return peek(object + offset, to, 8);
}

static bool has_type(const char *object, const char *type)
{
    const char *is;

    return peek_word(object, mh_py.at.ob_type, &is) && is == type;
}

/* A compact str of 1 to 4096 characters whose first is printable. */
static bool sound_str(const char *object)
{
    const struct mh_layout *at = &mh_py.at;
    uint32_t state;
    int64_t length;
    unsigned char first;

    return has_type(object, mh_py.str_type) && peek_word(object, at->us_length, &length) &&
           length > 0 && length < 4096 && peek(object + at->us_state, &state, 4) &&
           (state >> 5 & 1) && (state >> 2 & 7) >= 1 && (state >> 2 & 7) <= 4 &&
           (!(state >> 6 & 1) ||
            (peek(object + at->us_ascii, &first, 1) && first >= 0x20 && first < 0x7f));
}

static bool sound_bytes(const char *object, int64_t *ret_size)
{
    return has_type(object, mh_py.bytes_type) && peek_word(object, mh_py.at.by_size, ret_size) &&
           *ret_size >= 0 && *ret_size < 64 << 20;
}

static bool sound_code(const char *code, uintptr_t instr)
{
    const struct mh_layout *at = &mh_py.at;
    const char *name, *file, *lines, *qualname, *bytes;
    int64_t size;
    int32_t first;

    if (!peek_word(code, at->co_name, &name) || !sound_str(name) ||
        !peek_word(code, at->co_filename, &file) || !sound_str(file) ||
        !peek_word(code, at->co_lines, &lines) || !sound_bytes(lines, &size) ||
        !peek(code + at->co_firstline, &first, 4) || first < 0 || first > 10000000)
        return false;
    if (at->co_qualname && (!peek_word(code, at->co_qualname, &qualname) || !sound_str(qualname)))
        return false;
    if (!at->co_adaptive)
        return peek_word(code, at->co_code, &bytes) && sound_bytes(bytes, &size) &&
               (intptr_t)instr >= -1 && (intptr_t)instr < size;
    if (!peek_word(code, at->by_size, &size) || size <= 0 || size > 16 << 20)
        return false;
    /* 3.11 and 3.12 mark the instruction before; a new frame has none yet */
    return instr >= (uintptr_t)(code + at->co_adaptive) - 2 &&
           instr < (uintptr_t)(code + at->co_adaptive) + (uintptr_t)size * 2;
}

/* Does Python itself find the same line? Both functions only read; the objects are known to be of
 * their types. */
static bool same_line(const char *frame, const char *code)
{
    struct mh_frame f;
    int line;

    mh_frame_load(frame, &f);
    line = mh_code_line(code, mh_frame_offset(&f));
    if (mh_py.code_line && mh_frame_offset(&f) >= 0 && line &&
        mh_py.code_line((void *)(uintptr_t)code, mh_frame_offset(&f)) != line)
        return false;
    return !mh_py.frame_line || (has_type(frame, mh_py.frame_type) &&
                                 mh_py.frame_line((void *)(uintptr_t)frame) == line);
}

/* One frame: 1 sound Python frame, 0 an entry from C, -1 neither. */
static int sound_frame(const char *frame, bool whole)
{
    const struct mh_layout *at = &mh_py.at;
    uintptr_t code, instr;
    uint8_t owner = 0;
    int32_t lasti;

    if (!peek_word(frame, at->fr_code, &code))
        return -1;
    code &= ~(uintptr_t)7;
    if (at->fr_owner && (!peek(frame + at->fr_owner, &owner, 1) || owner > 4))
        return -1;
    if (owner >= MH_OWNER_C)
        return 0;
    if (!has_type((const char *)code, mh_py.code_type))
        return -1;
    if (!whole)
        return 1;
    if (at->co_adaptive) {
        if (!peek_word(frame, at->fr_instr, &instr))
            return -1;
    } else {
        if (!peek(frame + at->fr_instr, &lasti, 4))
            return -1;
        instr = (uintptr_t)(intptr_t)lasti;
    }
    return sound_code((const char *)code, instr) && same_line(frame, (const char *)code) ? 1 : -1;
}

/* 1 the layout holds, 0 this stack cannot tell, -1 it does not hold. */
static int prove(const char *ts)
{
    const struct mh_layout *at = &mh_py.at;
    uintptr_t thread_id;
    const char *frame;
    int seen = 0, r;

    if (!peek_word(ts, at->ts_thread_id, &thread_id) || thread_id != (uintptr_t)pthread_self())
        return -1;
    if (at->ts_cframe) {
        if (!peek_word(ts, at->ts_cframe, &frame))
            return -1;
        if (frame && !peek_word(frame, at->cf_frame, &frame))
            return -1;
    } else if (!peek_word(ts, at->ts_frame, &frame)) {
        return -1;
    }
    for (int i = 0; frame; i++) {
        if (i == DEEPEST)
            return -1;
        r = sound_frame(frame, seen < LOOKED_AT);
        if (r < 0 || !peek_word(frame, at->fr_back, &frame))
            return -1;
        seen += r;
    }
    return seen > 0;
}

bool mh_layout_proved(const char *ts)
{
    int known = atomic_load_explicit(&mh_py.proved, memory_order_acquire);

    if (MH_LIKELY(known))
        return known > 0;
    known = prove(ts);
    if (known && atomic_exchange(&mh_py.proved, known) == 0 && known < 0)
        mh_note(MH_NOTE_no_stacks, mh_py.hex, true,
                "the layout of this Python is not as expected: no stacks, no outcomes");
    return known > 0;
}
