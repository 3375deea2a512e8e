/* SPDX-License-Identifier: Apache-2.0 */
/* Record types and their fields, made from table/events.def; shared by writer, reader and tools. */
#pragma once

#include <stdint.h>

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

/* Codes of `note`: what mishap says of itself. Append only. */
enum mh_note {
    MH_NOTE_bad_config = 1, /* nothing is injected */
    MH_NOTE_no_stacks,      /* unknown interpreter, or its layout did not hold */
    MH_NOTE_stopped,        /* stop_after was reached */
    MH_NOTE_trace_taken,    /* somebody else traces: no outcomes */
    MH_NOTE_table_full,     /* a table of ours is full; value: which */
    MH_NOTE_bypass,         /* io_uring or another way past libc */
    MH_NOTE_no_outcome,     /* outcomes cannot be followed in this interpreter */
    MH_NOTE_changed,        /* `mishap set` gave faults other values; value: which time */
};

/* Steps of `outcome`, in the order in which they may come. Append only. */
enum mh_step {
    MH_STEP_none,
    MH_STEP_born,      /* the exception was created from the error; the frame that made the call */
    MH_STEP_reraised,  /* the same object left a handler again */
    MH_STEP_replaced,  /* a handler raised another object; its type is in the text */
    MH_STEP_handled,   /* an except clause in this frame ended it */
    MH_STEP_unhandled, /* it left the outermost frame of the thread, task or process */
    MH_STEP_unseen,    /* no exception was seen to be born from it */
};

enum mh_outcome_source {
    MH_SOURCE_none,
    MH_SOURCE_monitoring, /* sys.monitoring, 3.12 on */
    MH_SOURCE_trace,      /* trace function on that thread, 3.8 to 3.11 */
    MH_SOURCE_exc_info,   /* the chain of exceptions being handled, seen at a later call */
};

enum mh_level {
    MH_LEVEL_none,
    MH_LEVEL_debug,
    MH_LEVEL_info,
    MH_LEVEL_warning,
    MH_LEVEL_error,
    MH_LEVEL_critical,
};
