/* SPDX-License-Identifier: Apache-2.0 */
/* What a code object says of itself: names, and the line of an instruction; see frame.h. */
#include "python/frame.h"

#include <limits.h>
#include <string.h>

#include "base/banned.h"

/* Text and size of a bytes object. */
static const unsigned char *bytes_of(const char *object, int64_t *ret_size)
{
    if (!object || mh_py_type(object) != mh_py.bytes_type)
        return NULL;
    *ret_size = MH_AT(int64_t, object, mh_py.at.by_size);
    return (const unsigned char *)object + mh_py.at.by_data;
}

/* Bytes of instructions; *ret_start is where frames count them from, NULL when they count from 0.
 */
static int64_t code_size(const char *code, const char **ret_start)
{
    const struct mh_layout *at = &mh_py.at;
    int64_t size = 0;

    *ret_start = at->co_adaptive ? code + at->co_adaptive : NULL;
    if (at->co_adaptive)
        return MH_AT(int64_t, code, at->by_size) * 2;
    bytes_of(MH_AT(char *, code, at->co_code), &size);
    return size;
}

int mh_frame_offset(const struct mh_frame *f)
{
    const char *start;
    int64_t size = code_size(f->code, &start), offset = (int64_t)(f->instr - (uintptr_t)start);

    if (mh_py.at.lines == MH_LINES_ranges) /* 3.10 counts instructions, not bytes */
        offset *= 2;
    return offset < 0 || offset >= size ? -1 : (int)offset;
}

const char *mh_frame_coroutine(const struct mh_frame *f)
{
    const struct mh_layout *at = &mh_py.at;
    const char *owner;

    if (!(MH_AT(uint32_t, f->code, at->co_flags) & MH_CO_COROUTINE))
        return NULL;
    if (at->fr_gen)
        owner = MH_AT(char *, f->frame, at->fr_gen);
    else if (MH_AT(uint8_t, f->frame, at->fr_owner) == MH_OWNER_GENERATOR)
        owner = f->frame - at->ge_frame;
    else
        return NULL;
    return owner && mh_py_type(owner) == mh_py.coro_type ? owner : NULL;
}

/* Ranges of instructions that share a line, in their order. */
struct ranges {
    const unsigned char *p, *end;
    int line;        /* running line */
    int start, stop; /* bytes of code of the range found */
    int found;       /* its line, 0 none */
};

static bool ranges_begin(struct ranges *r, const char *code)
{
    int64_t n = 0;

    *r = (struct ranges){.line = MH_AT(int32_t, code, mh_py.at.co_firstline)};
    r->p = bytes_of(MH_AT(char *, code, mh_py.at.co_lines), &n);
    r->end = r->p ? r->p + n : NULL;
    return r->p;
}

/* Up to 3.9: pairs (bytes to go, signed change of line after them); a pair without bytes only
 * changes the line. The last range goes on to the end of the code. */
static bool ranges_next_lnotab(struct ranges *r)
{
    if (r->stop == INT_MAX)
        return false;
    r->start = r->stop;
    for (; r->end - r->p >= 2 && r->p[0] == 0; r->p += 2)
        r->line += (signed char)r->p[1];
    r->found = r->line;
    r->stop = INT_MAX;
    if (r->end - r->p >= 2) {
        r->stop = r->start + r->p[0];
        r->line += (signed char)r->p[1];
        r->p += 2;
    }
    return true;
}

/* 3.10: pairs (bytes, signed change of line before them); -128 is a range without a line. */
static bool ranges_next_pep626(struct ranges *r)
{
    int delta;

    if (r->end - r->p < 2)
        return false;
    delta = (signed char)r->p[1];
    r->start = r->stop;
    r->stop += r->p[0];
    r->line += delta == -128 ? 0 : delta;
    r->found = delta == -128 ? 0 : r->line;
    r->p += 2;
    return true;
}

/* Six bits a byte, lowest first; 0x40 says that more follow. */
static uint32_t varint_read(struct ranges *r)
{
    uint32_t value = 0;

    for (unsigned shift = 0; r->p < r->end && shift < 30; shift += 6) {
        value |= (uint32_t)(*r->p & 0x3f) << shift;
        if (!(*r->p++ & 0x40))
            break;
    }
    return value;
}

/* From 3.11: one entry a range, its first byte has the high bit set: kind in bits 3-6, length in
 * code units less one below. Kinds 0-9 keep the line; 10-12 add 0-2; 13 and 14 add a varint whose
 * lowest bit is its sign; 15 has no line. What follows are columns, of no interest here. */
static bool ranges_next_pep657(struct ranges *r)
{
    unsigned kind, length;
    uint32_t v;

    if (r->p >= r->end)
        return false;
    kind = *r->p >> 3 & 15;
    length = (*r->p & 7u) + 1;
    r->p++;
    if (kind == 13 || kind == 14) {
        v = varint_read(r);
        r->line += v & 1 ? -(int)(v >> 1) : (int)(v >> 1);
    } else if (kind >= 10 && kind <= 12) {
        r->line += (int)kind - 10;
    }
    r->start = r->stop;
    r->stop += (int)length * 2;
    r->found = kind == 15 ? 0 : r->line;
    while (r->p < r->end && !(*r->p & 0x80))
        r->p++;
    return true;
}

static bool ranges_next(struct ranges *r)
{
    switch (mh_py.at.lines) {
    case MH_LINES_lnotab:
        return ranges_next_lnotab(r);
    case MH_LINES_ranges:
        return ranges_next_pep626(r);
    case MH_LINES_locations:
        return ranges_next_pep657(r);
    case MH_LINES_none:
        break;
    }
    return false;
}

int mh_code_line(const char *code, int offset)
{
    struct ranges r;

    if (!ranges_begin(&r, code) || offset < 0)
        return r.line;
    while (ranges_next(&r))
        if (offset < r.stop)
            return r.found;
    return 0;
}

bool mh_code_line_has(const char *code, int line, const char *bytes, unsigned opcode, unsigned arg)
{
    int64_t n = 0;
    const unsigned char *p = bytes_of(bytes, &n);
    struct ranges r;

    if (!p || !opcode || !ranges_begin(&r, code))
        return false;
    while (ranges_next(&r))
        for (int64_t i = r.start; r.found == line && i + 1 < MH_MIN(n, r.stop); i += 2)
            if (p[i] == opcode && (!arg || p[i + 1] == arg))
                return true;
    return false;
}

unsigned mh_code_opcode(const char *bytes, int offset)
{
    int64_t n = 0;
    const unsigned char *p = bytes_of(bytes, &n);

    return p && offset >= 0 && offset < n ? p[offset] : 0;
}

static size_t utf8_put(char *to, uint32_t c)
{
    if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = '?';
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        to[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Bits of a str's state, the same in 3.8 to 3.15. */
enum { STR_COMPACT = 1 << 5, STR_ASCII = 1 << 6 };

bool mh_str_add(struct mh_buf *b, const char *str, size_t most, bool keep_end)
{
    const struct mh_layout *at = &mh_py.at;
    uint32_t state, kind;
    const char *data;
    size_t n, i = 0;

    if (!str || mh_py_type(str) != mh_py.str_type)
        return false;
    state = MH_AT(uint32_t, str, at->us_state);
    kind = state >> 2 & 7;
    if (!(state & STR_COMPACT) || (kind != 1 && kind != 2 && kind != 4))
        return false; /* not compact: no name or file name that a compiler made */
    data = str + (state & STR_ASCII ? at->us_ascii : at->us_wide);
    n = (size_t)MH_AT(int64_t, str, at->us_length);
    if (n > most && keep_end)
        i = n - most;
    if (state & STR_ASCII) {
        mh_buf_add_n(b, data + i, MH_MIN(n, most));
        return true;
    }
    for (size_t end = MH_MIN(n, i + most); i < end; i++) {
        char text[4];
        uint32_t c = kind == 1   ? MH_AT(uint8_t, data, i)
                     : kind == 2 ? MH_AT(uint16_t, data, i * 2)
                                 : MH_AT(uint32_t, data, i * 4);

        mh_buf_add_n(b, text, utf8_put(text, c));
    }
    return true;
}

bool mh_str_is(const char *str, const char *want)
{
    const struct mh_layout *at = &mh_py.at;
    size_t n = strlen(want);
    uint32_t state;

    if (!str || mh_py_type(str) != mh_py.str_type ||
        (size_t)MH_AT(int64_t, str, at->us_length) != n)
        return false;
    state = MH_AT(uint32_t, str, at->us_state);
    return (state & STR_ASCII) && (state & STR_COMPACT) && !memcmp(str + at->us_ascii, want, n);
}

/* Bit of a type's flags: its instances are classes. */
enum { TYPE_SUBCLASS = 31 };

/* Class of the first argument, when it is called self or cls; types' names are NUL-ended. */
static void add_class(struct mh_buf *b, const char *code, const char *frame)
{
    const struct mh_layout *at = &mh_py.at;
    const char *names = MH_AT(char *, code, at->co_varnames), *first, *object, *name;
    bool is_class;

    if (MH_AT(int32_t, code, at->co_argcount) < 1 || !names ||
        mh_py_type(names) != mh_py.tuple_type)
        return;
    first = MH_AT(char *, names, at->tu_data);
    is_class = mh_str_is(first, "cls");
    if (!is_class && !mh_str_is(first, "self"))
        return;
    object = MH_AT(char *, frame, at->fr_locals);
    if (!object)
        return; /* deleted, or kept in a cell */
    if (is_class && !(MH_AT(uint64_t, mh_py_type(object), at->ty_flags) >> TYPE_SUBCLASS & 1))
        return; /* whatever cls is, it is not a class */
    name = MH_AT(char *, is_class ? object : mh_py_type(object), at->ty_name);
    for (const char *p = name; *p; p++)
        if (*p == '.')
            name = p + 1;
    mh_buf_add_n(b, name, strnlen(name, MH_NAME_MAX));
    mh_buf_add_char(b, '.');
}

void mh_code_add_name(struct mh_buf *b, const char *code, const char *frame)
{
    const struct mh_layout *at = &mh_py.at;
    uint16_t field = at->co_qualname ? at->co_qualname : at->co_name;

    if (!at->co_qualname && frame)
        add_class(b, code, frame);
    if (!mh_str_add(b, MH_AT(char *, code, field), MH_NAME_MAX, true))
        mh_buf_add_char(b, '?');
}

void mh_code_add(struct mh_buf *b, const char *code, const char *frame)
{
    mh_code_add_name(b, code, frame);
    mh_buf_add_char(b, '\t');
    if (!mh_str_add(b, MH_AT(char *, code, mh_py.at.co_filename), MH_FILE_MAX, true))
        mh_buf_add_char(b, '?');
    mh_buf_add_char(b, '\t');
}

/* From 3.11 on one that an inner function uses lives in a cell in its place, from 3.14 on the low
 * bits of a local are no part of its address. */
const char *mh_frame_local(const struct mh_frame *f, int number)
{
    enum { CELL_CONTENTS = 16 };
    const char *object;

    if (number < 0 || !mh_py.at.fr_locals)
        return NULL;
    object =
        (const char *)(MH_AT(uintptr_t, f->frame, mh_py.at.fr_locals + number * 8) & ~(uintptr_t)7);
    if (object && !strcmp(MH_AT(char *, mh_py_type(object), mh_py.at.ty_name), "cell"))
        object = MH_AT(char *, object, CELL_CONTENTS);
    return object;
}

bool mh_code_is_finalizer(const char *code)
{
    return mh_str_is(MH_AT(char *, code, mh_py.at.co_name), "__del__");
}

bool mh_file_foreign(const char *path)
{
    const char *p = path;

    if (!strncmp(path, "<frozen ", 8))
        return true;
    if (strstr(path, "/site-packages/") || strstr(path, "/dist-packages/"))
        return true;
    while ((p = strstr(p, "/lib"))) {
        p += 4;
        if (!strncmp(p, "64", 2) || !strncmp(p, "32", 2))
            p += 2;
        if (!strncmp(p, "/python3", 8) && (p[8] == '.' || (p[8] >= '0' && p[8] <= '9')))
            return true;
    }
    return false;
}
