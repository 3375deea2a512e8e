/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a recording, also one that is still being written, was cut, or is damaged: it gives what is
 * sound and counts what is not. For tools and tests; never used inside an application. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/format.h"

struct mh_record {
    enum mh_event type;
    int64_t at;
    uint32_t tid;
    unsigned nfields;
    const int64_t *fields; /* borrowed until the next record */
    const char *tail;      /* borrowed; `tail_len` bytes, no NUL */
    size_t tail_len;
};

struct mh_reader;

/* Opens one file. Returns 0, or a negative errno: -EBADMSG not a recording or damaged at its head,
 * -EPROTONOSUPPORT a newer format or foreign byte order. Free with mh_reader_free(). */
int mh_reader_open(const char *path, struct mh_reader **ret);
struct mh_reader *mh_reader_free(struct mh_reader *r);

/* The next record in the order of the file. Returns 1, or 0 at the end. */
int mh_reader_next(struct mh_reader *r, struct mh_record *ret);

const struct mh_file_header *mh_reader_header(const struct mh_reader *r);

/* How many records were read, and how many places were damaged or cut, so far. */
uint64_t mh_reader_events(const struct mh_reader *r);
uint64_t mh_reader_holes(const struct mh_reader *r);

/* Copies the fields into a struct mh_ev_*, zeroing those that the record does not have. */
void mh_record_fields(const struct mh_record *record, void *ret, size_t size);
#define mh_record_as(record, name)                                                                 \
    ({                                                                                             \
        struct mh_ev_##name ev_;                                                                   \
        mh_record_fields(record, &ev_, sizeof(ev_));                                               \
        ev_;                                                                                       \
    })

/* Names for printing: the event's name, and of its i-th field; NULL when unknown. */
const char *mh_event_name(enum mh_event type);
const char *mh_event_field(enum mh_event type, unsigned i);
