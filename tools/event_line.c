/* SPDX-License-Identifier: Apache-2.0 */
/* Records as text and as JSON; see event_line.h. */
#include "event_line.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/errname.h"
#include "base/macros.h"
#include "table/table.h"

#include "base/banned.h"

enum { MOST_NAMES = 1 << 20 }; /* ids past it come from a damaged record */

static int list_put(struct mh_name_list *list, int64_t id, const char *text, size_t len)
{
    if (id < 0 || id >= MOST_NAMES)
        return 0;
    if ((size_t)id >= list->n) {
        size_t n = MH_MAX((size_t)id + 1, list->n * 2);
        char **texts = reallocarray(list->text, n, sizeof(*texts));

        if (!texts)
            return -ENOMEM;
        memset(texts + list->n, 0, (n - list->n) * sizeof(*texts));
        list->text = texts;
        list->n = n;
    }
    free(list->text[id]);
    list->text[id] = strndup(text, len);
    return list->text[id] ? 0 : -ENOMEM;
}

static const char *list_get(const struct mh_name_list *list, int64_t id)
{
    return id >= 0 && (size_t)id < list->n ? list->text[id] : NULL;
}

static void list_done(struct mh_name_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->text[i]);
    free(list->text);
}

static int learn_peer(struct mh_names *names, const struct mh_record *record)
{
    struct mh_ev_peer peer = mh_record_as(record, peer);
    const char *address = memchr(record->tail, '\n', record->tail_len);
    size_t name = address ? (size_t)(address - record->tail) : record->tail_len;
    char *text;
    int r;

    if (!name && address)
        r = asprintf(&text, "%.*s:%" PRId64, (int)(record->tail_len - 1), address + 1, peer.port);
    else
        r = asprintf(&text, "%.*s:%" PRId64, (int)name, record->tail, peer.port);
    if (r < 0)
        return -ENOMEM;
    r = list_put(&names->peers, peer.peer, text, strlen(text));
    free(text);
    return r;
}

int mh_names_learn(struct mh_names *names, const struct mh_record *record)
{
    size_t first = strnlen(record->tail, record->tail_len);
    const char *end = memchr(record->tail, '\n', record->tail_len);

    switch (record->type) {
    case MH_EVENT_peer:
        return learn_peer(names, record);
    case MH_EVENT_path:
        return list_put(&names->paths, mh_record_as(record, path).path, record->tail, first);
    case MH_EVENT_fault:
        if (end)
            first = (size_t)(end - record->tail);
        return list_put(&names->faults, mh_record_as(record, fault).fault + 1, record->tail, first);
    default:
        return 0;
    }
}

const char *mh_names_peer(const struct mh_names *names, int64_t peer)
{
    return list_get(&names->peers, peer);
}

const char *mh_names_fault(const struct mh_names *names, int64_t fault)
{
    return list_get(&names->faults, fault);
}

void mh_names_done(struct mh_names *names)
{
    list_done(&names->peers);
    list_done(&names->paths);
    list_done(&names->faults);
}

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

/* The word that a code of this field stands for, NULL when it is a plain number. */
static const char *word(const char *field, int64_t value)
{
    const char *name;

    if (!strcmp(field, "err")) {
        name = mh_errno_name((int)value);
        return name ? name : mh_eai_name((int)value);
    }
    if (!strcmp(field, "call"))
        return value >= 0 && value < MH_CALL_COUNT ? mh_call_rows[value].name : NULL;
    if (!strcmp(field, "kind"))
        return value >= 0 && value < MH_OP_COUNT ? mh_op_rows[value].name : NULL;
    if (!strcmp(field, "effect"))
        return value > 0 && value <= MH_EFFECT_COUNT ? mh_effect_rows[value - 1].name : NULL;
    if (!strcmp(field, "step"))
        return mh_step_name(value);
    if (!strcmp(field, "level"))
        return level_name(value);
    return NULL;
}

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && !strcmp(text + n - m, end);
}

static bool is_hash(const char *field)
{
    return !strcmp(field, "digest") || !strcmp(field, "draw") || !strcmp(field, "same") ||
           !strcmp(field, "keys") || !strcmp(field, "object") || !strcmp(field, "ops") ||
           !strcmp(field, "effects") || !strcmp(field, "python");
}

/* What a number stands for: a word of a table, or what an earlier record called it. NULL: itself.
 */
static const char *name_of(enum mh_event type, const char *field, int64_t value,
                           const struct mh_names *names)
{
    const char *name = word(field, value);

    if (!name && !strcmp(field, "peer") && type != MH_EVENT_peer)
        name = list_get(&names->peers, value);
    if (!name && !strcmp(field, "path") && type != MH_EVENT_path)
        name = list_get(&names->paths, value);
    if (!name && !strcmp(field, "fault") && type != MH_EVENT_fault)
        name = list_get(&names->faults, value);
    return name;
}

static void text_field(FILE *out, enum mh_event type, const char *field, int64_t value,
                       const struct mh_names *names)
{
    const char *name = name_of(type, field, value, names);

    if (name)
        fprintf(out, " %s=%s", field, name);
    else if (ends(field, "_ns") && value < 0)
        fprintf(out, " %s=%s", field, value == -1 ? "none" : "unknown");
    else if (ends(field, "_ns") && strcmp(field, "wall_ns") != 0)
        fprintf(out, " %.*s=%.3fms", (int)strlen(field) - 3, field, (double)value / 1e6);
    else if (is_hash(field))
        fprintf(out, " %s=%#" PRIx64, field, (uint64_t)value);
    else
        fprintf(out, " %s=%" PRId64, field, value);
}

static void text_tail(FILE *out, const char *tail, size_t len)
{
    fputs(" \"", out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)tail[i];

        if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static const char *type_name(const struct mh_record *record, char *buffer, size_t size)
{
    const char *name = mh_event_name(record->type);

    if (name)
        return name;
    snprintf(buffer, size, "type%d", (int)record->type);
    return buffer;
}

int mh_line_text(FILE *out, const struct mh_line *line, const struct mh_names *names)
{
    const struct mh_record *record = line->record;
    char number[24];

    fprintf(out, "%11.6f %6u %6u %-10s", (double)line->since / 1e9, line->header->pid, record->tid,
            type_name(record, number, sizeof(number)));
    for (unsigned i = 0; i < record->nfields; i++) {
        const char *field = mh_event_field(record->type, i);

        /* Nought is the usual "none"; leaving it out keeps a line short enough to read. */
        if (field && record->fields[i])
            text_field(out, record->type, field, record->fields[i], names);
    }
    if (record->tail_len &&
        record->type != MH_EVENT_calls) /* that one is for readers, not people */
        text_tail(out, record->tail, record->tail_len);
    return ferror(out) ? -EIO : 0;
}

/* JSON takes UTF-8 only; names on the wire and paths may hold any byte. */
static json_t *json_text(const char *text, size_t len)
{
    json_t *value = json_stringn(text, len);
    char *clean;

    if (value)
        return value;
    clean = strndup(text, len);
    if (!clean)
        return NULL;
    for (char *p = clean; *p; p++)
        if ((unsigned char)*p >= 128)
            *p = '?';
    value = json_string(clean);
    free(clean);
    return value;
}

int mh_line_json(FILE *out, const struct mh_line *line, const struct mh_names *names)
{
    const struct mh_record *record = line->record;
    json_t *object = json_object();
    char number[24];
    int r = 0;

    r |= json_object_set_new(object, "event",
                             json_string(type_name(record, number, sizeof(number))));
    r |= json_object_set_new(object, "at", json_integer(record->at));
    r |= json_object_set_new(object, "wall", json_integer(line->wall));
    r |= json_object_set_new(object, "process", json_integer(line->header->pid));
    r |= json_object_set_new(object, "tid", json_integer(record->tid));
    for (unsigned i = 0; i < record->nfields; i++) {
        const char *field = mh_event_field(record->type, i);
        const char *name = field ? name_of(record->type, field, record->fields[i], names) : NULL;

        if (!field)
            continue;
        r |= json_object_set_new(object, field, json_integer(record->fields[i]));
        if (name) {
            char key[64];

            snprintf(key, sizeof(key), "%s_name", field);
            r |= json_object_set_new(object, key, json_text(name, strlen(name)));
        }
    }
    if (record->tail_len)
        r |= json_object_set_new(object, "text", json_text(record->tail, record->tail_len));
    r |= json_dumpf(object, out, JSON_COMPACT);
    json_decref(object);
    return r ? -ENOMEM : 0;
}
