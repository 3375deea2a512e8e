/* SPDX-License-Identifier: Apache-2.0 */
/* Records as text and as JSON; see event_line.h. What is the same for all records of a type is
 * worked out once, as columns: recordings hold millions of events. */
#include "event_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/errname.h"
#include "base/macros.h"
#include "table/table.h"

#include "base/banned.h"

/* What the numbers of a field stand for. */
enum meaning { PLAIN, ERRNO, CALL, KIND, EFFECT, STEP, LEVEL, PEER, PATH, FAULT };

struct column {
    const char *name; /* NULL: no such field */
    char key[40];     /* as JSON begins it: ,"name": */
    size_t nname, nkey;
    enum meaning meaning;
    bool hash, ns; /* shown in hexadecimal; as a time */
};

enum { MOST_COLUMNS = 32 };
static struct column columns[MH_EVENT_COUNT][MOST_COLUMNS];

const char *mh_step_name(int64_t step)
{
    static const char *const rows[] = {
        [MH_STEP_born] = "born",           [MH_STEP_reraised] = "reraised",
        [MH_STEP_replaced] = "replaced",   [MH_STEP_handled] = "handled",
        [MH_STEP_unhandled] = "unhandled", [MH_STEP_unseen] = "unseen",
        [MH_STEP_lost] = "lost",
    };

    return step >= 0 && step < (int64_t)ARRAY_SIZE(rows) ? rows[step] : NULL;
}

static const char *level_name(int64_t level)
{
    static const char *const rows[] = {
        [MH_LEVEL_debug] = "debug",       [MH_LEVEL_info] = "info",
        [MH_LEVEL_warning] = "warning",   [MH_LEVEL_error] = "error",
        [MH_LEVEL_critical] = "critical",
    };

    return level >= 0 && level < (int64_t)ARRAY_SIZE(rows) ? rows[level] : NULL;
}

static bool one_of(const char *field, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(field, *words))
            return true;
    return false;
}

static enum meaning meaning_of(enum mh_event type, const char *field)
{
    static const struct {
        const char *field;
        enum meaning meaning;
        enum mh_event but; /* where it is the id itself that is given a name */
    } rows[] = {
        {"err", ERRNO, 0},
        {"call", CALL, 0},
        {"kind", KIND, 0},
        {"effect", EFFECT, 0},
        {"step", STEP, 0},
        {"level", LEVEL, 0},
        {"peer", PEER, MH_EVENT_peer},
        {"path", PATH, MH_EVENT_path},
        {"fault", FAULT, MH_EVENT_fault},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!strcmp(field, rows[i].field))
            return rows[i].but == type ? PLAIN : rows[i].meaning;
    return PLAIN;
}

static void column_fill(struct column *c, enum mh_event type, const char *field)
{
    static const char *const hashes[] = {"digest", "draw",    "same",   "keys", "object",
                                         "ops",    "effects", "python", NULL};
    struct mh_buf key = mh_buf_over(c->key, sizeof(c->key));

    c->name = field;
    c->nname = strlen(field);
    mh_buf_add(&key, ",\"");
    mh_buf_add(&key, field);
    mh_buf_add(&key, "\":");
    c->nkey = key.len;
    c->meaning = meaning_of(type, field);
    c->hash = one_of(field, hashes);
    c->ns = c->nname > 3 && !strcmp(field + c->nname - 3, "_ns");
}

/* The columns of a type, and how many of n there are. */
static const struct column *columns_of(enum mh_event type, unsigned *n)
{
    struct column *c;

    if (!mh_event_name(type)) {
        *n = 0;
        return NULL;
    }
    c = columns[type];
    if (!c[0].name)
        for (unsigned i = 0; i < MOST_COLUMNS && mh_event_field(type, i); i++)
            column_fill(&c[i], type, mh_event_field(type, i));
    *n = MH_MIN(*n, MOST_COLUMNS);
    while (*n && !c[*n - 1].name)
        --*n;
    return c;
}

static const char *errno_word(int value)
{
    const char *name = mh_errno_name(value);

    return name ? name : mh_eai_name(value);
}

/* What a number stands for: a word of a table, or what an earlier record called it. NULL: itself.
 */
static const char *name_of(const struct column *c, int64_t value, const struct mh_names *names)
{
    switch (c->meaning) {
    case PLAIN:
        return NULL;
    case ERRNO:
        return value ? errno_word((int)value) : NULL;
    case CALL:
        return value >= 0 && value < MH_CALL_COUNT ? mh_call_rows[value].name : NULL;
    case KIND:
        return value >= 0 && value < MH_OP_COUNT ? mh_op_rows[value].name : NULL;
    case EFFECT:
        return value > 0 && value <= MH_EFFECT_COUNT ? mh_effect_rows[value - 1].name : NULL;
    case STEP:
        return mh_step_name(value);
    case LEVEL:
        return level_name(value);
    case PEER:
        return mh_names_peer(names, value);
    case PATH:
        return mh_names_path(names, value);
    case FAULT:
        return mh_names_fault(names, value);
    }
    return NULL;
}

/* What was added since `begin` as printf has it at this width; to the left when negative. */
static void pad(struct mh_put *out, size_t begin, int width)
{
    size_t have = out->len - begin, want = (size_t)MH_MAX(width, -width);

    if (have >= want || !mh_put_room(out, want))
        return;
    if (width > 0)
        memmove(out->data + begin + want - have, out->data + begin, have);
    memset(out->data + begin + (width > 0 ? 0 : have), ' ', want - have);
    out->len = begin + want;
}

/* value / 1000 with as many digits after the point as `unit` has noughts, rounded as printf does it
 * to value / (1000.0 * unit). Only what lies in the middle of two is not told by whole numbers. */
static void put_scaled(struct mh_put *out, int64_t value, int64_t unit)
{
    const int64_t exact_below = INT64_C(1000000000000000);
    int digits = unit == 1000 ? 3 : 6;
    int64_t rounded;
    char text[8] = ".";

    if (value < 0 || value >= exact_below || value % 1000 == 500) {
        mh_put_printf(out, "%.*f", digits, (double)value / (double)(unit * 1000));
        return;
    }
    rounded = (value + 500) / 1000;
    mh_put_int(out, rounded / unit);
    rounded %= unit;
    for (int i = digits; i > 0; i--, rounded /= 10)
        text[i] = (char)('0' + rounded % 10);
    mh_put_n(out, text, (size_t)digits + 1);
}

static void text_field(struct mh_put *out, const struct column *c, int64_t value,
                       const struct mh_names *names)
{
    const char *name = name_of(c, value, names);

    mh_put_char(out, ' ');
    if (!name && c->ns && value >= 0 && strcmp(c->name, "wall_ns") != 0) {
        mh_put_n(out, c->name, c->nname - 3);
        mh_put_char(out, '=');
        put_scaled(out, value, 1000);
        mh_put_text(out, "ms");
        return;
    }
    mh_put_n(out, c->name, c->nname);
    mh_put_char(out, '=');
    if (name)
        mh_put_text(out, name);
    else if (c->ns && value < 0)
        mh_put_text(out, value == -1 ? "none" : "unknown");
    else if (c->hash)
        mh_put_printf(out, "%#" PRIx64, (uint64_t)value);
    else
        mh_put_int(out, value);
}

static void text_tail(struct mh_put *out, const char *tail, size_t len)
{
    mh_put_text(out, " \"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)tail[i];

        if (c == '\n')
            mh_put_text(out, "\\n");
        else if (c == '\t')
            mh_put_text(out, "\\t");
        else if (c < ' ' || c == 127)
            mh_put_printf(out, "\\x%02x", c);
        else {
            if (c == '"' || c == '\\')
                mh_put_char(out, '\\');
            mh_put_char(out, (char)c);
        }
    }
    mh_put_char(out, '"');
}

static void put_type(struct mh_put *out, const struct mh_record *record)
{
    const char *name = mh_event_name(record->type);

    if (name)
        mh_put_text(out, name);
    else
        mh_put_printf(out, "type%d", (int)record->type);
}

int mh_line_text(struct mh_put *out, const struct mh_line *line, const struct mh_names *names)
{
    const struct mh_record *record = line->record;
    unsigned n = record->nfields;
    const struct column *c = columns_of(record->type, &n);
    size_t begin = out->len;

    put_scaled(out, line->since, 1000000);
    pad(out, begin, 11);
    mh_put_char(out, ' ');
    begin = out->len;
    mh_put_uint(out, line->header->pid);
    pad(out, begin, 6);
    mh_put_char(out, ' ');
    begin = out->len;
    mh_put_uint(out, record->tid);
    pad(out, begin, 6);
    mh_put_char(out, ' ');
    begin = out->len;
    put_type(out, record);
    pad(out, begin, -10);
    for (unsigned i = 0; i < n; i++)
        if (record->fields[i]) /* nought is the usual "none"; without it a line can be read */
            text_field(out, &c[i], record->fields[i], names);
    if (record->tail_len &&
        record->type != MH_EVENT_calls) /* that one is for readers, not people */
        text_tail(out, record->tail, record->tail_len);
    return out->error;
}

static void json_int(struct mh_put *out, const char *key, int64_t value)
{
    mh_put_text(out, key);
    mh_put_int(out, value);
}

int mh_line_json(struct mh_put *out, const struct mh_line *line, const struct mh_names *names)
{
    const struct mh_record *record = line->record;
    unsigned n = record->nfields;
    const struct column *c = columns_of(record->type, &n);

    mh_put_text(out, "{\"event\":\"");
    put_type(out, record);
    json_int(out, "\",\"at\":", record->at);
    json_int(out, ",\"wall\":", line->wall);
    json_int(out, ",\"process\":", line->header->pid);
    json_int(out, ",\"tid\":", record->tid);
    for (unsigned i = 0; i < n; i++) {
        const char *name = name_of(&c[i], record->fields[i], names);

        mh_put_n(out, c[i].key, c[i].nkey);
        mh_put_int(out, record->fields[i]);
        if (!name)
            continue;
        mh_put_n(out, c[i].key, c[i].nkey - 2);
        mh_put_text(out, "_name\":");
        mh_put_json(out, name, strlen(name));
    }
    if (record->tail_len) {
        mh_put_text(out, ",\"text\":");
        mh_put_json(out, record->tail, record->tail_len);
    }
    mh_put_char(out, '}');
    return out->error;
}
