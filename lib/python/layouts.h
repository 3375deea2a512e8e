/* SPDX-License-Identifier: Apache-2.0 */
/* The table of CPython's struct layouts (layouts.def) and the choice among them. Pure data: nothing
 * of the interpreter is touched but the words at the head of _PyRuntime. */
#pragma once

#include <stdint.h>

/* How a code object keeps its line numbers. */
enum mh_lines {
    MH_LINES_none,
    MH_LINES_lnotab,    /* pairs of increments; to 3.9 */
    MH_LINES_ranges,    /* PEP 626; 3.10 */
    MH_LINES_locations, /* PEP 657; from 3.11 */
};

/* Offsets in bytes; 0 where the version has no such field (cf_frame, fr_code: really 0). */
struct mh_layout {
    uint32_t version; /* 0x030b for 3.11 */
    enum mh_lines lines;
    uint16_t ts_frame, ts_cframe, cf_frame, ts_interp, ts_thread_id, ts_tracefunc;
    uint16_t fr_code, fr_back, fr_instr, fr_owner, fr_gen, fr_locals, ge_frame, ge_qualname;
    uint16_t co_flags, co_firstline, co_filename, co_name, co_qualname, co_lines, co_code;
    uint16_t co_adaptive, co_varnames, co_argcount;
    uint16_t us_length, us_hash, us_state, us_ascii, us_wide, by_size, by_data, tu_data;
    uint16_t ob_type, ty_name, ty_flags;
    uint16_t in_gil, gil_locked;
    uint16_t as_coro, as_name, as_waiter;
    uint16_t op_return, op_push, op_raise, op_await, op_match, op_match_arg;
};

/* Fills *ret for an interpreter of PY_VERSION_HEX `hex`. `runtime` is the address of _PyRuntime,
 * NULL when it is not exported. Returns 0, or -ENOENT when this version is not known, -ENOTSUP when
 * it is a free-threaded build. */
int mh_layout_find(uint32_t hex, const void *runtime, struct mh_layout *ret);

/* Where offsets are taken from: both is the table's block, over which the words are laid. */
enum mh_layout_source { MH_LAYOUT_both, MH_LAYOUT_table, MH_LAYOUT_words };

/* Only for tests: from now on mh_layout_find() sees version `hex` (0: the real one), every offset
 * within a frame is wrong by `skew` bytes, as after a change of CPython that nobody told us of, and
 * only this source is known: MH_LAYOUT_words is what a version without a block will have. */
void mh_layout_pretend(uint32_t hex, int skew, enum mh_layout_source source);
