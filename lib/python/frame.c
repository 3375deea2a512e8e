/* SPDX-License-Identifier: Apache-2.0 */
/* What a code object says of itself: names, and the line of an instruction; see frame.h. */
#include "python/frame.h"

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

/* The instructions, and how many bytes they are. */
static const unsigned char *code_bytes(const char *code, int64_t *ret_size)
{
    const struct mh_layout *at = &mh_py.at;

    if (!at->co_adaptive)
        return bytes_of(MH_AT(char *, code, at->co_code), ret_size);
    *ret_size = MH_AT(int64_t, code, at->by_size) * 2;
    return (const unsigned char *)code + at->co_adaptive;
}

int mh_frame_offset(const struct mh_frame *f)
{
    const struct mh_layout *at = &mh_py.at;
    int64_t size = 0, offset;

    code_bytes(f->code, &size);
    if (at->co_adaptive)
        offset = (int64_t)(f->instr - (uintptr_t)(f->code + at->co_adaptive));
    else if (at->lines == MH_LINES_lnotab)
        offset = (int64_t)f->instr;
    else
        offset = (int64_t)f->instr * 2;
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

/* Up to 3.9: (address increment, line increment) pairs, an entry begins where the last one ended.
 */
static int line_lnotab(const unsigned char *p, int64_t n, int line, int offset)
{
    int at = 0;

    for (int64_t i = 0; i + 1 < n; i += 2) {
        at += p[i];
        if (at > offset)
            break;
        line += (signed char)p[i + 1];
    }
    return line;
}

/* 3.10: (length, line increment) pairs; -128 is a range without a line. */
static int line_ranges(const unsigned char *p, int64_t n, int line, int offset)
{
    int end = 0;

    for (int64_t i = 0; i + 1 < n; i += 2) {
        int delta = (signed char)p[i + 1];

        end += p[i];
        line += delta == -128 ? 0 : delta;
        if (offset < end)
            return delta == -128 ? 0 : line;
    }
    return 0;
}

static const unsigned char *varint_read(const unsigned char *p, const unsigned char *end,
                                        uint32_t *ret)
{
    uint32_t value = 0;

    for (unsigned shift = 0; p < end && shift < 30; shift += 6) {
        value |= (uint32_t)(*p & 0x3f) << shift;
        if (!(*p++ & 0x40))
            break;
    }
    *ret = value;
    return p;
}

/* From 3.11: one entry a range, its first byte has the high bit set: kind in bits 3-6, length in
 * code units less one below. Kinds 0-9 keep the line; 10-12 add 0-2; 13 and 14 add a signed varint,
 * whose sign is its lowest bit; 15 has no line. */
static int line_locations(const unsigned char *p, int64_t n, int line, int offset)
{
    const unsigned char *end = p + n;
    int at = 0;

    while (p < end) {
        unsigned kind = *p >> 3 & 15, length = (*p & 7u) + 1;
        uint32_t v = 0;

        p++;
        if (kind == 13 || kind == 14) {
            p = varint_read(p, end, &v);
            line += v & 1 ? -(int)(v >> 1) : (int)(v >> 1);
        } else if (kind >= 10 && kind <= 12) {
            line += (int)kind - 10;
        }
        at += (int)length * 2;
        if (offset < at)
            return kind == 15 ? 0 : line;
        while (p < end && !(*p & 0x80))
            p++;
    }
    return 0;
}

int mh_code_line(const char *code, int offset)
{
    const struct mh_layout *at = &mh_py.at;
    int first = MH_AT(int32_t, code, at->co_firstline);
    int64_t n = 0;
    const unsigned char *p = bytes_of(MH_AT(char *, code, at->co_lines), &n);

    if (!p || offset < 0)
        return first;
    switch (at->lines) {
    case MH_LINES_lnotab:
        return line_lnotab(p, n, first, offset);
    case MH_LINES_ranges:
        return line_ranges(p, n, first, offset);
    case MH_LINES_locations:
        return line_locations(p, n, first, offset);
    case MH_LINES_none:
        break;
    }
    return 0;
}

unsigned mh_code_opcode(const char *code, int offset)
{
    int64_t size = 0;
    const unsigned char *p = code_bytes(code, &size);

    return p && offset >= 0 && offset < size ? p[offset] : 0;
}

bool mh_code_line_has(const char *code, int offset, unsigned opcode, unsigned arg)
{
    int64_t size = 0;
    const unsigned char *p = code_bytes(code, &size);
    int line = mh_code_line(code, offset);

    if (!p || offset < 0 || !opcode)
        return false;
    for (int64_t i = offset; i + 1 < size && i < offset + 400; i += 2) {
        if (mh_code_line(code, (int)i) != line)
            return false;
        if (p[i] == opcode && (!arg || p[i + 1] == arg))
            return true;
    }
    return false;
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
    if (!(state >> 5 & 1) || (kind != 1 && kind != 2 && kind != 4))
        return false; /* not compact: no name or file name that a compiler made */
    data = str + (state >> 6 & 1 ? at->us_ascii : at->us_wide);
    n = (size_t)MH_AT(int64_t, str, at->us_length);
    if (n > most && keep_end)
        i = n - most;
    for (size_t end = MH_MIN(n, i + most); i < end; i++) {
        char text[4];
        uint32_t c = kind == 1   ? MH_AT(uint8_t, data, i)
                     : kind == 2 ? MH_AT(uint16_t, data, i * 2)
                                 : MH_AT(uint32_t, data, i * 4);

        mh_buf_add_n(b, text, utf8_put(text, c));
    }
    return true;
}

static bool str_is(const char *str, const char *want)
{
    MH_BUF(b, 8);

    return mh_str_add(&b, str, 7, false) && !strcmp(b.data, want);
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
    is_class = str_is(first, "cls");
    if (!is_class && !str_is(first, "self"))
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

void mh_code_add(struct mh_buf *b, const char *code, int offset, const char *frame)
{
    mh_code_add_name(b, code, frame);
    mh_buf_add_char(b, '\t');
    if (!mh_str_add(b, MH_AT(char *, code, mh_py.at.co_filename), MH_FILE_MAX, true))
        mh_buf_add_char(b, '?');
    mh_buf_add_char(b, '\t');
    mh_buf_add_int(b, mh_code_line(code, offset));
}
