/* SPDX-License-Identifier: Apache-2.0 */
/* Record types and their fields, made from table/events.def; shared by writer, reader and tools. */
#pragma once

#include <stdint.h>

#include "base/libc.h"

enum mh_event {
    MH_EVENT_none,
#define EVENT_BEGIN(number, name, doc) MH_EVENT_##name = number,
#define FIELD(event, name, unit, doc)
#define EVENT_END(name, tail)
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END
    MH_EVENT_COUNT
};

/* struct mh_ev_op { int64_t op; int64_t kind; ... } and so on, one per record type. */
#define EVENT_BEGIN(number, name, doc) struct mh_ev_##name {
#define FIELD(event, name, unit, doc)  int64_t name;
#define EVENT_END(name, tail)                                                                      \
    }                                                                                              \
    ;
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END

/* Codes that fields hold: enum mh_note, mh_step, mh_source, mh_level, mh_sink, mh_task, mh_spoken;
 * 0 is none of them.
 */
#define CODE_note(number, name)
#define CODE_step(number, name)
#define CODE_source(number, name)
#define CODE_level(number, name)
#define CODE_sink(number, name)
#define CODE_task(number, name)
#define CODE_spoken(number, name)
#define CODE(set, number, name, doc) CODE_##set(number, name)

#undef CODE_note
#define CODE_note(number, name) MH_NOTE_##name = number,
enum mh_note {
    MH_NOTE_none,
#include "table/codes.def"
};
#undef CODE_note
#define CODE_note(number, name)

#undef CODE_step
#define CODE_step(number, name) MH_STEP_##name = number,
enum mh_step {
    MH_STEP_none,
#include "table/codes.def"
};
#undef CODE_step
#define CODE_step(number, name)

#undef CODE_source
#define CODE_source(number, name) MH_SOURCE_##name = number,
enum mh_outcome_source {
    MH_SOURCE_none,
#include "table/codes.def"
};
#undef CODE_source
#define CODE_source(number, name)

#undef CODE_level
#define CODE_level(number, name) MH_LEVEL_##name = number,
enum mh_level {
    MH_LEVEL_none,
#include "table/codes.def"
};
#undef CODE_level
#define CODE_level(number, name)

#undef CODE_sink
#define CODE_sink(number, name) MH_SINK_##name = number,
enum mh_sink {
    MH_SINK_none,
#include "table/codes.def"
};
#undef CODE_sink
#define CODE_sink(number, name)

#undef CODE_task
#define CODE_task(number, name) MH_TASK_##name = number,
enum mh_task_state {
    MH_TASK_unknown,
#include "table/codes.def"
};
#undef CODE_task
#define CODE_task(number, name)

#undef CODE_spoken
#define CODE_spoken(number, name) MH_SPOKEN_##name = number,
enum mh_spoken {
    MH_SPOKEN_none,
#include "table/codes.def"
    MH_SPOKEN_COUNT
};
#undef CODE_spoken
#undef CODE_task
#undef CODE_note
#undef CODE_step
#undef CODE_source
#undef CODE_level
#undef CODE_sink
#undef CODE
