/* SPDX-License-Identifier: Apache-2.0 */
/* The recording of this process: reserve by compare-and-swap, fill, then publish by the check word.
 * Any context but a vfork child; raw system calls only. See format.h for the layout. */
#include "event/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/probe.h"
#include "base/retire.h"
#include "base/sys.h"
#include "event/format.h"

#include "base/banned.h"

enum {
    MAX_SEGMENTS = 1280, /* a limit of 1 GiB and a quarter */
    AHEAD = 64 << 10,    /* pages are made ready in blocks of this size */
    FEW = 16,
    RARE = 256, /* one routine record in so many is kept: near the limit, and at it */
};
#define DEFAULT_LIMIT (UINT64_C(256) << 20)

/* This thread's id, 0 not asked yet; asked anew in a forked child. */
static __thread uint32_t thread_id;

static struct {
    _Atomic uint64_t tail;
    _Atomic(char *) segments[MAX_SEGMENTS];
    atomic_bool open;
    uint64_t limit;
    _Atomic uint64_t lost, sampled;
    atomic_bool full_said;
    char path[512];
} writer;

/* A segment's blocks are allocated before they are mapped: a full disk is an error here, where it
 * can be handled, and not a SIGBUS at the first store. */
static char *segment_map(unsigned i)
{
    long fd = mh_sys(SYS_openat, AT_FDCWD, writer.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    uint64_t at = (uint64_t)i * MH_SEGMENT;
    long r, p;

    if (fd < 0)
        return NULL;
    r = mh_sys(SYS_fallocate, fd, 0, at, MH_SEGMENT);
    if (r == -EOPNOTSUPP || r == -ENOSYS) {
        static const char zeros[4096];

        for (uint64_t o = 0; o < MH_SEGMENT; o += sizeof(zeros)) {
            r = mh_sys(SYS_pwrite64, fd, zeros, sizeof(zeros), at + o);
            if (r != (long)sizeof(zeros))
                break;
            r = 0;
        }
    }
    p = r ? -1 : mh_sys(SYS_mmap, 0, MH_SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (long)at);
    mh_sys(SYS_close, fd);
    return p < 0 && p > -4096 ? NULL : (char *)p;
}

static char *segment_get(unsigned i)
{
    char *have = atomic_load_explicit(&writer.segments[i], memory_order_acquire);
    char *mine;

    if (have)
        return have;
    mine = segment_map(i);
    if (!mine)
        return NULL;
    if (!atomic_compare_exchange_strong(&writer.segments[i], &have, mine)) {
        mh_sys(SYS_munmap, mine, MH_SEGMENT);
        return have;
    }
    return mine;
}

/* The header has the figures at any time: a process that is killed tells them too. */
static void lose(bool on_purpose)
{
    char *first = atomic_load_explicit(&writer.segments[0], memory_order_acquire);
    struct mh_file_header *h = (struct mh_file_header *)(void *)first;

    atomic_fetch_add(&writer.lost, 1);
    if (on_purpose)
        atomic_fetch_add(&writer.sampled, 1);
    if (!h)
        return;
    h->lost = atomic_load(&writer.lost);
    h->sampled = atomic_load(&writer.sampled);
}

static void writer_fail(const char *why)
{
    char *first = atomic_load_explicit(&writer.segments[0], memory_order_acquire);
    struct mh_file_header *h = (struct mh_file_header *)(void *)first;

    lose(false);
    if (h && !h->cut_at)
        h->cut_at = mh_now();
    if (!atomic_exchange(&writer.full_said, true)) {
        MH_BUF(b, 700);
        mh_buf_add(&b, "mishap: ");
        mh_buf_add(&b, why);
        mh_buf_add(&b, ": ");
        mh_buf_add(&b, writer.path);
        mh_buf_add(&b, "; nothing more is recorded or injected in this process\n");
        mh_sys(SYS_write, 2, b.data, b.len);
    }
}

void mh_writer_limit(uint64_t bytes)
{
    writer.limit = bytes;
}

static void unmap(void *at, size_t n)
{
    mh_sys(SYS_munmap, at, n);
}

static void segments_drop(void (*give_back)(void *at, size_t n))
{
    atomic_store(&writer.open, false);
    for (unsigned i = 0; i < MAX_SEGMENTS; i++) {
        char *p = atomic_exchange(&writer.segments[i], NULL);

        if (p)
            give_back(p, MH_SEGMENT);
    }
}

void mh_writer_close(void)
{
    segments_drop(mh_retire);
}

int mh_writer_open(const char *dir)
{
    struct mh_file_header header = {.magic = MH_MAGIC,
                                    .endian = MH_ENDIAN_MARK,
                                    .version = MH_FORMAT_VERSION,
                                    .header_size = MH_FILE_HEADER,
                                    .pid = (uint32_t)mh_sys_getpid(),
                                    .started_mono = mh_now(),
                                    .started_wall = mh_now_wall()};
    struct utsname host = {.nodename = "host"};
    struct mh_buf path = {writer.path, sizeof(writer.path), 0, false};
    char *first;
    long fd;

    mh_writer_close();
    mh_sys(SYS_uname, &host);
    for (char *p = host.nodename; *p; p++)
        if (*p == '/')
            *p = '_';
    memcpy(header.host, host.nodename, MH_MIN(strlen(host.nodename), sizeof(header.host) - 1));
    mh_buf_add(&path, dir);
    mh_buf_add_char(&path, '/');
    mh_buf_add(&path, header.host);
    mh_buf_add_char(&path, '-');
    mh_buf_add_uint(&path, header.pid, 10);
    mh_buf_add_char(&path, '-');
    mh_buf_add_uint(&path, (uint64_t)header.started_mono, 16);
    mh_buf_add(&path, ".mhr");
    if (path.cut)
        return -ENAMETOOLONG;
    fd = mh_sys(SYS_openat, AT_FDCWD, writer.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return (int)fd;
    mh_sys(SYS_close, fd);
    first = segment_get(0);
    if (!first) {
        mh_sys(SYS_unlinkat, AT_FDCWD, writer.path, 0);
        return -ENOSPC;
    }
    memcpy(first, &header, sizeof(header));
    atomic_store(&writer.tail, MH_FILE_HEADER);
    atomic_store(&writer.lost, 0);
    atomic_store(&writer.sampled, 0);
    if (!writer.limit)
        writer.limit = DEFAULT_LIMIT;
    atomic_store(&writer.full_said, false);
    atomic_store(&writer.open, true);
    return 0;
}

void mh_writer_abandon(void)
{
    thread_id = 0;
    segments_drop(unmap);
}

void mh_writer_finish(void)
{
    char *first = atomic_load(&writer.segments[0]);

    if (atomic_load(&writer.open) && first) {
        struct mh_file_header *h = (struct mh_file_header *)(void *)first;

        h->complete = 1;
    }
}

void mh_writer_complete(bool complete)
{
    char *first = atomic_load(&writer.segments[0]);

    if (atomic_load(&writer.open) && first)
        ((struct mh_file_header *)(void *)first)->complete = complete;
}

bool mh_writer_ok(void)
{
    return atomic_load_explicit(&writer.open, memory_order_relaxed);
}

uint64_t mh_writer_lost(void)
{
    return atomic_load(&writer.lost);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* Makes the block behind `at` ready when a record has come into a new one: a page fault for each
 * four kilobytes would cost more than the records in them. */
static void prefault(char *segment, uint64_t at, uint32_t length)
{
    uint64_t block = (at + length) / AHEAD * AHEAD % MH_SEGMENT;

    if (at / AHEAD != (at + length) / AHEAD && block)
        mh_sys(SYS_madvise, segment + block, AHEAD, MADV_POPULATE_WRITE);
}

/* What kind of record is it when room is short? Faults, failures and what names other records are
 * worth more than the limit; answers are, a little; the rest is routine. What has the same group is
 * kept or left out together. */
enum worth { ROUTINE, ANSWER, VITAL };

static enum worth worth_of(enum mh_event type, const void *fields, uint64_t *ret_group)
{
    const struct mh_ev_request *request = fields;
    const struct mh_ev_response *response = fields;
    const struct mh_ev_connect *connect = fields;
    const struct mh_ev_close *closed = fields;
    const struct mh_ev_wait *wait = fields;
    const struct mh_ev_unit_begin *begin = fields;
    const struct mh_ev_unit_end *end = fields;
    const struct mh_ev_log *line = fields;

    switch (type) {
    case MH_EVENT_request:
        *ret_group = (uint64_t)request->conn;
        return ROUTINE;
    case MH_EVENT_response:
        *ret_group = (uint64_t)response->conn;
        return response->err || response->eof || response->status >= 500 ? VITAL : ROUTINE;
    case MH_EVENT_connect:
        *ret_group = (uint64_t)connect->conn;
        return connect->err && connect->err != EINPROGRESS ? VITAL : ROUTINE;
    case MH_EVENT_close:
        *ret_group = (uint64_t)closed->conn;
        return closed->pending ? VITAL : ROUTINE;
    case MH_EVENT_wait:
        *ret_group = (uint64_t)wait->conn;
        return ROUTINE;
    case MH_EVENT_unit_begin:
        *ret_group = (uint64_t)begin->unit;
        return ROUTINE;
    case MH_EVENT_begun: /* without them what follows would be given to somebody else */
    case MH_EVENT_serves:
        return ANSWER;
    case MH_EVENT_unit_end:
        return end->how || end->status >= 500 ? VITAL : ANSWER;
    case MH_EVENT_log:
        *ret_group = (uint64_t)line->same;
        return line->traceback || line->level >= MH_LEVEL_warning ? VITAL : ROUTINE;
    case MH_EVENT_sleep:
    case MH_EVENT_file:
        *ret_group = atomic_load_explicit(&writer.tail, memory_order_relaxed);
        return ROUTINE;
    default:
        return VITAL;
    }
}

/* How far the file may grow for this record; 0 when it is left out now. */
static uint64_t room_for(enum worth worth, uint64_t group)
{
    uint64_t limit = writer.limit;
    uint64_t tail = atomic_load_explicit(&writer.tail, memory_order_relaxed);

    if (worth != ROUTINE)
        return limit + limit / (worth == VITAL ? 4 : 8);
    if (tail < limit - limit / 8)
        return limit;
    return mh_mix(group) % (tail < limit - limit / 32 ? FEW : RARE) ? 0 : limit;
}

/* Takes `length` bytes of the file; returns their offset, or -1 past the limit. */
static int64_t reserve(uint32_t length, uint64_t limit)
{
    uint64_t at = atomic_load_explicit(&writer.tail, memory_order_relaxed);
    uint64_t from;

    do {
        from = at;
        if (from / MH_SEGMENT != (from + length - 1) / MH_SEGMENT)
            from = (from / MH_SEGMENT + 1) * MH_SEGMENT;
        if (from + length > limit)
            return -1;
    } while (!atomic_compare_exchange_weak(&writer.tail, &at, from + length));
    return (int64_t)from;
}

/* Says to whoever watches from outside what was just recorded; not what was left out, so that both
 * can be counted against each other. */
static void probe(enum mh_event type, const void *fields)
{
    const struct mh_ev_op *op = fields;
    const struct mh_ev_unit_end *unit = fields;

    if (type == MH_EVENT_op && op->fault)
        MH_PROBE(fault_fired, op->op, op->kind, op->err, op->fault - 1, op->effect - 1);
    else if (type == MH_EVENT_op)
        MH_PROBE(op_failed, op->op, op->kind, op->err, op->call, op->fd);
    else if (type == MH_EVENT_unit_end)
        MH_PROBE(unit_end, unit->unit, unit->status, unit->latency_ns, unit->how, unit->bytes);
}

void mh_writer_know_thread(void)
{
    if (!thread_id)
        thread_id = (uint32_t)mh_sys_gettid();
}

uint32_t mh_writer_thread(void)
{
    mh_writer_know_thread();
    return thread_id;
}

bool mh_event_put(enum mh_event type, int64_t at, const void *fields, unsigned n, const char *tail,
                  size_t len)
{
    struct mh_record_header h = {.at = at, .type = (uint16_t)type, .nfields = (uint16_t)n};
    struct mh_record_header *to;
    uint64_t group = 0, room;
    enum worth worth;
    char *segment;
    int64_t place;

    if (!mh_writer_ok())
        return false;
    if (len > MH_MAX_RECORD / 2)
        len = MH_MAX_RECORD / 2;
    h.tail = (uint32_t)len;
    mh_writer_know_thread();
    h.tid = thread_id;
    h.length = (uint32_t)((sizeof(h) + n * 8 + len + 7) & ~7u);
    worth = worth_of(type, fields, &group);
    room = room_for(worth, group);
    place = room ? reserve(h.length, MH_MIN(room, (uint64_t)MAX_SEGMENTS * MH_SEGMENT)) : -1;
    if (place < 0) {
        if (worth != VITAL)
            lose(worth == ROUTINE);
        else
            writer_fail("the recording is full");
        return false;
    }
    segment = segment_get((unsigned)(place / MH_SEGMENT));
    if (!segment) {
        atomic_store(&writer.open, false);
        writer_fail("cannot extend the recording");
        return false;
    }
    prefault(segment, (uint64_t)place, h.length);
    to = (struct mh_record_header *)(void *)(segment + place % MH_SEGMENT);
    memcpy(to, &h, sizeof(h));
    memcpy(to + 1, fields, n * 8);
    if (len)
        memcpy((char *)(to + 1) + n * 8, tail, len);
    __atomic_store_n(&to->check, mh_record_check((uint64_t)place, h.length, h.type),
                     __ATOMIC_RELEASE);
    probe(type, fields);
    return true;
}

void mh_note(enum mh_note code, int64_t value, bool loud, const char *sentence)
{
    mh_event(note, sentence, strlen(sentence), .code = code, .value = value);
    if (loud) {
        MH_BUF(b, 1024);
        mh_buf_add(&b, "mishap: ");
        mh_buf_add(&b, sentence);
        mh_buf_add_char(&b, '\n');
        mh_sys(SYS_write, 2, b.data, b.len);
    }
}
