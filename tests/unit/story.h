/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings written by tests, with times of their own choosing: the writer of the library stamps
 * each record itself, which a story cannot use. One story is one process; times are milliseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "event/format.h"

struct story {
    FILE *file;
    uint64_t at; /* offset in the file */
    int64_t now; /* ms */
    uint32_t tid;
    int64_t ids;
    int64_t born; /* ms: when its process began; for story_open() */
    int pid;      /* 0: STORY_PID */
    bool cut;     /* the recording was not closed */
    char dir[128], path[256];
};

enum { STORY_PID = 4711, STORY_LOOP = 100 };
#define STORY_MS   INT64_C(1000000)
#define STORY_MONO INT64_C(1000000000000)
#define STORY_WALL INT64_C(1790000000000000000)

static inline int64_t story_at(const struct story *s)
{
    return STORY_MONO + s->now * STORY_MS;
}

/* What recordings are written without, from now on, as by an interpreter that is not known
 * (STORY_STACKS), or where somebody else traces. */
enum { STORY_STACKS = 1, STORY_OUTCOMES = 2 };
static int story_without;

static const struct {
    uint16_t type;
    unsigned field;
    const char *name;
} story_fields[] = {
#define EVENT_BEGIN(number, name, doc)
#define FIELD(event, name, unit, doc)                                                              \
    {MH_EVENT_##event, offsetof(struct mh_ev_##event, name) / 8, #name},
#define EVENT_END(name, tail)
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END
};

/* The record as it is without that evidence; false: there is none. */
static inline bool story_strip(uint16_t type, int64_t *fields, unsigned n)
{
    if (type == MH_EVENT_outcome)
        return false;
    if (!(story_without & STORY_STACKS))
        return true;
    for (size_t i = 0; i < sizeof(story_fields) / sizeof(story_fields[0]); i++)
        if (story_fields[i].type == type && story_fields[i].field < n &&
            (!strcmp(story_fields[i].name, "stack") || !strcmp(story_fields[i].name, "task")))
            fields[story_fields[i].field] = 0;
    return type != MH_EVENT_stack && type != MH_EVENT_task_begin && type != MH_EVENT_task_end;
}

static inline void story_put(struct story *s, uint16_t type, const void *given, unsigned n,
                             const char *tail)
{
    int64_t fields[32];
    static const char zeros[64];
    struct mh_record_header h = {.at = story_at(s),
                                 .tid = s->tid,
                                 .type = type,
                                 .nfields = (uint16_t)n,
                                 .tail = (uint32_t)strlen(tail)};
    uint32_t used = (uint32_t)(sizeof(h) + n * 8 + h.tail);

    if (n > 32)
        abort();
    memcpy(fields, given, n * 8);
    if (story_without && !story_strip(type, fields, n))
        return;
    h.length = (used + 7) & ~7u;
    while (s->at / MH_SEGMENT != (s->at + h.length - 1) / MH_SEGMENT) {
        fwrite(zeros, 1, 8, s->file);
        s->at += 8;
    }
    h.check = mh_record_check(s->at, h.length, type);
    fwrite(&h, sizeof(h), 1, s->file);
    fwrite(fields, 8, n, s->file);
    fwrite(tail, 1, h.tail, s->file);
    fwrite(zeros, 1, h.length - used, s->file);
    s->at += h.length;
}

/* story(s, op, "", .op = 3, .kind = MH_OP_recv): one record, now. */
#define story(s, name, text, ...)                                                                  \
    story_put(s, MH_EVENT_##name, &(struct mh_ev_##name){__VA_ARGS__},                             \
              sizeof(struct mh_ev_##name) / 8, text)

static inline void story_open(struct story *s, const char *name)
{
    struct mh_file_header h = {.magic = MH_MAGIC,
                               .endian = MH_ENDIAN_MARK,
                               .version = MH_FORMAT_VERSION,
                               .header_size = MH_FILE_HEADER,
                               .pid = s->pid ? s->pid : STORY_PID,
                               .complete = !s->cut,
                               .started_mono = STORY_MONO + s->born * STORY_MS,
                               .started_wall = STORY_WALL + s->born * STORY_MS,
                               .host = "here"};

    if (!*s->dir) {
        snprintf(s->dir, sizeof(s->dir), "/tmp/mishap-story-XXXXXX");
        if (!mkdtemp(s->dir))
            abort();
    }
    snprintf(s->path, sizeof(s->path), "%s/%s.mhr", s->dir, name);
    s->file = fopen(s->path, "w");
    if (!s->file)
        abort();
    fwrite(&h, sizeof(h), 1, s->file);
    s->at = sizeof(h);
    s->now = s->born;
    s->tid = STORY_LOOP;
    s->ids = 1000;
    story(s, process, "uvicorn shop:app", .pid = h.pid,
          .started_at = STORY_MONO + s->born * STORY_MS, .wall_ns = STORY_WALL + s->born * STORY_MS,
          .python = 0x030b02f0, .seed = 7);
    if (story_without)
        story(s, note, story_without & STORY_STACKS ? "an unknown Python" : "somebody traces",
              .code = story_without & STORY_STACKS ? MH_NOTE_no_stacks : MH_NOTE_trace_taken);
    story(s, origin, "", .origin_at = STORY_MONO);
}

static inline void story_close(struct story *s)
{
    fclose(s->file);
    s->file = NULL;
}

static inline void story_remove(struct story *s)
{
    char command[200];

    snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
    if (strncmp(s->dir, "/tmp/mishap-story-", 18) || system(command))
        abort();
}
