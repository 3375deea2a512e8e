/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and code objects as memory: walking them, and what a frame is called and where it stands.
 * For this room only. The walk is plain loads, so it needs a proved layout (prove.h) and frames
 * that do not move: those of the calling thread, which stands in a C call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "python/api.h"

enum {
    MH_CO_COROUTINE = 0x80,
    MH_CO_SUSPENDS = 0x20 | 0x80 | 0x200, /* generator, coroutine, asynchronous generator */
    MH_OWNER_GENERATOR = 1,
    MH_OWNER_C = 3, /* from here on: no Python code, an entry from C */
};

struct mh_frame {
    const char *frame; /* PyFrameObject or _PyInterpreterFrame */
    const char *code;  /* PyCodeObject; NULL: an entry from C, not a Python frame */
    uintptr_t instr;   /* the version's own mark of the instruction; see mh_frame_offset() */
};

/* Innermost frame of a thread state, NULL when it runs no Python code. */
static inline const char *mh_frame_first(const char *ts)
{
    const struct mh_layout *at = &mh_py.at;

    if (at->ts_cframe) {
        ts = MH_AT(char *, ts, at->ts_cframe);
        return ts ? MH_AT(char *, ts, at->cf_frame) : NULL;
    }
    return MH_AT(char *, ts, at->ts_frame);
}

static inline const char *mh_frame_back(const char *frame)
{
    return MH_AT(char *, frame, mh_py.at.fr_back);
}

/* From 3.12 on a call of a class may enter its __init__ by way of a frame of the interpreter's own,
 * that sys._getframe() leaves out. It has no source: the name stands in place of the file's. */
static inline bool mh_code_is_shim(const char *code)
{
    return MH_AT(char *, code, mh_py.at.co_filename) == MH_AT(char *, code, mh_py.at.co_name);
}

/* Looks at one frame. From 3.14 on the code pointer carries tag bits. */
static inline void mh_frame_load(const char *frame, struct mh_frame *ret)
{
    const struct mh_layout *at = &mh_py.at;
    uintptr_t code = MH_AT(uintptr_t, frame, at->fr_code) & ~(uintptr_t)7;

    ret->frame = frame;
    ret->code = (const char *)code;
    ret->instr = at->co_adaptive ? MH_AT(uintptr_t, frame, at->fr_instr)
                                 : (uintptr_t)(intptr_t)MH_AT(int32_t, frame, at->fr_instr);
    if (MH_UNLIKELY((at->fr_owner && MH_AT(uint8_t, frame, at->fr_owner) >= MH_OWNER_C) || !code ||
                    mh_py_type(ret->code) != mh_py.code_type || mh_code_is_shim(ret->code)))
        ret->code = NULL;
}

/* The innermost Python frame from `frame` outwards; false when there is none. */
static inline bool mh_frame_find(const char *frame, struct mh_frame *ret)
{
    for (int i = 0; frame && i < 1000; i++, frame = mh_frame_back(frame)) {
        mh_frame_load(frame, ret);
        if (ret->code)
            return true;
    }
    return false;
}

/* Byte offset of the instruction in the code, -1 before the first. */
int mh_frame_offset(const struct mh_frame *f);

/* The coroutine object that owns this frame; NULL when none does. */
const char *mh_frame_coroutine(const struct mh_frame *f);

/* A parameter of the frame's function, by number; NULL when it was deleted, or there is none. */
const char *mh_frame_local(const struct mh_frame *f, int number);

/* Line of the instruction at a byte offset; 0 when it has none. */
int mh_code_line(const char *code, int offset);

/* Does this line of the code hold this instruction? `bytes` is the code's co_code; `arg` 0: any. */
bool mh_code_line_has(const char *code, int line, const char *bytes, unsigned opcode, unsigned arg);
unsigned mh_code_opcode(const char *bytes, int offset);

/* Appends a str as UTF-8, without control characters; at most `most` bytes, cut at the front when
 * `keep_end`. Returns false when it is not a str. */
bool mh_str_add(struct mh_buf *b, const char *str, size_t most, bool keep_end);

/* Is it a str of this text, which is ASCII? */
bool mh_str_is(const char *str, const char *want);

/* Appends the frame's qualified name. Before 3.11 a code object knows only its bare name: the class
 * of a first argument named self or cls is put before it. `frame` may be NULL. */
void mh_code_add_name(struct mh_buf *b, const char *code, const char *frame);

/* Appends "name<TAB>file<TAB>"; a line number is to follow. */
void mh_code_add(struct mh_buf *b, const char *code, const char *frame);

/* Is it a function named __del__? */
bool mh_code_is_finalizer(const char *code);

/* Is this file part of Python's own library or of an installed package? By place alone: the
 * compiler's own "<frozen ...>", a directory of packages, or below lib/python3.N, where both live.
 */
bool mh_file_foreign(const char *path);

enum { MH_NAME_MAX = 200, MH_FILE_MAX = 400 };
