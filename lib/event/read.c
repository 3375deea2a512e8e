/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of recordings; see read.h. Bytes of the file are never trusted: every length is
 * checked against the file before it is used. */
#include "event/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "table/table.h"

#include "base/banned.h"

enum { MOST_FIELDS = 64, MOST_CALLS = 4096, WINDOW = 1 << 20 /* whole pages, of any size */ };

struct mh_reader {
    const char *data;
    size_t size;
    uint64_t at, behind; /* what is before `behind` is out of memory */
    uint64_t events, holes;
    bool in_hole;
    /* numbers of libc calls differ between versions: what this file's mean here, when they do */
    int16_t *calls;
    size_t ncalls;
    int64_t fields[MOST_FIELDS]; /* of the record in hand, when a number had to be changed */
};

static const char *const event_names[] = {
#define EVENT_BEGIN(number, name, doc) [number] = #name,
#define FIELD(event, name, unit, doc)
#define EVENT_END(name, tail)
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END
};

#define EVENT_BEGIN(number, name, doc) static const char *const fields_##name[] = {
#define FIELD(event, name, unit, doc)  #name,
#define EVENT_END(name, tail)                                                                      \
    NULL                                                                                           \
    }                                                                                              \
    ;
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END

static const char *const *const event_fields[] = {
#define EVENT_BEGIN(number, name, doc) [number] = fields_##name,
#define FIELD(event, name, unit, doc)
#define EVENT_END(name, tail)
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END
};

const char *mh_event_name(enum mh_event type)
{
    return type < ARRAY_SIZE(event_names) ? event_names[type] : NULL;
}

const char *mh_event_field(enum mh_event type, unsigned i)
{
    if (!mh_event_name(type))
        return NULL;
    for (unsigned k = 0; event_fields[type][k]; k++)
        if (k == i)
            return event_fields[type][k];
    return NULL;
}

static int header_check(const struct mh_reader *r)
{
    const struct mh_file_header *h = mh_reader_header(r);

    if (r->size < sizeof(*h) || memcmp(h->magic, MH_MAGIC, sizeof(h->magic)))
        return -EBADMSG;
    if (h->endian != MH_ENDIAN_MARK || h->version > MH_FORMAT_VERSION)
        return -EPROTONOSUPPORT;
    if (h->version == 0 || h->header_size < sizeof(*h) || h->header_size % 8)
        return -EBADMSG;
    return 0;
}

int mh_reader_open(const char *path, struct mh_reader **ret)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct mh_reader *r;
    struct stat st;
    int err;

    if (fd < 0 || fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size < MH_FILE_HEADER)
        return -EBADMSG;
    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->size = (size_t)st.st_size;
    r->data = mmap(NULL, r->size, PROT_READ, MAP_SHARED, fd, 0);
    if (r->data == MAP_FAILED) {
        err = -errno;
        free(r);
        return err;
    }
    madvise((void *)(uintptr_t)r->data, r->size, MADV_SEQUENTIAL);
    err = header_check(r);
    if (err) {
        mh_reader_free(r);
        return err;
    }
    r->at = mh_reader_header(r)->header_size;
    *ret = r;
    return 0;
}

struct mh_reader *mh_reader_free(struct mh_reader *r)
{
    if (r) {
        munmap((void *)(uintptr_t)r->data, r->size);
        free(r->calls);
        free(r);
    }
    return NULL;
}

const struct mh_file_header *mh_reader_header(const struct mh_reader *r)
{
    return (const struct mh_file_header *)(const void *)r->data;
}

uint64_t mh_reader_events(const struct mh_reader *r)
{
    return r->events;
}

uint64_t mh_reader_holes(const struct mh_reader *r)
{
    return r->holes;
}

static bool record_sound(const struct mh_reader *r, const struct mh_record_header *h)
{
    uint64_t left = MH_SEGMENT - r->at % MH_SEGMENT;

    return h->length >= sizeof(*h) && h->length % 8 == 0 && h->length <= left &&
           h->length <= r->size - r->at && sizeof(*h) + h->nfields * 8ull + h->tail <= h->length &&
           h->check == mh_record_check(r->at, h->length, h->type);
}

/* Passes over what is not a record. Zeros up to the segment's end are its unused rest, not damage.
 */
static void reader_skip(struct mh_reader *r, const uint64_t *word)
{
    if (*word != 0 && !r->in_hole) {
        r->in_hole = true;
        r->holes++;
    }
    r->at += 8;
}

static int16_t call_number(const char *name, size_t n)
{
    for (int i = 0; i < MH_CALL_COUNT; i++)
        if (strlen(mh_call_rows[i].name) == n && !memcmp(mh_call_rows[i].name, name, n))
            return (int16_t)i;
    return -1;
}

/* Reads the names of this file's calls; nothing to do when its numbers are ours. */
static void learn_calls(struct mh_reader *r, const struct mh_record *record)
{
    const char *p = record->tail, *end = p + record->tail_len;
    bool same = true;
    size_t n = 0;

    free(r->calls);
    r->calls = calloc(MOST_CALLS, sizeof(*r->calls));
    if (!r->calls)
        return;
    while (p < end && n < MOST_CALLS) {
        const char *stop = memchr(p, ' ', (size_t)(end - p));

        stop = stop ? stop : end;
        r->calls[n] = call_number(p, (size_t)(stop - p));
        same = same && r->calls[n] == (int16_t)n;
        n++;
        p = stop + 1;
    }
    r->ncalls = n;
    if (same) {
        free(r->calls);
        r->calls = NULL;
    }
}

/* Which field of a type is a libc call; MOST_FIELDS when none is. */
static unsigned call_field(enum mh_event type)
{
    for (unsigned i = 0; mh_event_field(type, i); i++)
        if (!strcmp(mh_event_field(type, i), "call"))
            return i;
    return MOST_FIELDS;
}

static void translate(struct mh_reader *r, struct mh_record *record)
{
    unsigned i = call_field(record->type);

    if (i >= record->nfields || record->nfields > MOST_FIELDS)
        return;
    memcpy(r->fields, record->fields, record->nfields * sizeof(int64_t));
    if (r->fields[i] >= 0)
        r->fields[i] = r->fields[i] < (int64_t)r->ncalls ? r->calls[r->fields[i]] : -1;
    record->fields = r->fields;
}

/* Lets go of what was passed, or a recording would count as our memory while it is read. It stays
 * readable: the mapping is the file's, and comes back from it when touched. */
static void drop_behind(struct mh_reader *r)
{
    for (; r->at - r->behind >= WINDOW; r->behind += WINDOW)
        madvise((void *)(uintptr_t)(r->data + r->behind), WINDOW, MADV_DONTNEED);
}

int mh_reader_next(struct mh_reader *r, struct mh_record *ret)
{
    drop_behind(r);
    while (r->at + sizeof(struct mh_record_header) <= r->size) {
        const struct mh_record_header *h = (const void *)(r->data + r->at);

        if (MH_SEGMENT - r->at % MH_SEGMENT < sizeof(*h)) {
            r->at = (r->at / MH_SEGMENT + 1) * MH_SEGMENT;
            continue;
        }
        if (!record_sound(r, h)) {
            reader_skip(r, (const void *)h);
            continue;
        }
        *ret = (struct mh_record){.type = h->type,
                                  .at = h->at,
                                  .tid = h->tid,
                                  .nfields = h->nfields,
                                  .fields = (const void *)(h + 1),
                                  .tail = (const char *)(h + 1) + h->nfields * 8ull,
                                  .tail_len = h->tail};
        r->at += h->length;
        r->in_hole = false;
        r->events++;
        if (h->type == MH_EVENT_calls)
            learn_calls(r, ret);
        else if (r->calls)
            translate(r, ret);
        return 1;
    }
    return 0;
}

void mh_record_fields(const struct mh_record *record, void *ret, size_t size)
{
    size_t have = MH_MIN(record->nfields * sizeof(int64_t), size);

    memcpy(ret, record->fields, have);
    memset((char *)ret + have, 0, size - have);
}
