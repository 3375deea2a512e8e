/* SPDX-License-Identifier: Apache-2.0 */
/* Records as events of the Trace Event Format; see trace.h. A process is a process, a thread a
 * thread; calls that a thread made are slices on it ("X"), units of work and exchanges with peers,
 * which overlap on an event loop, are asynchronous slices ("b", "e"), faults, outcomes and logs are
 * instants ("i"). Times are microseconds since the first recording began, hosts aligned by wall
 * time. */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errname.h"
#include "base/macros.h"
#include "cmd.h"
#include "event/read.h"
#include "event_line.h"
#include "files.h"
#include "log.h"
#include "table/table.h"

#include "base/banned.h"

const char mh_trace_doc[] =
    "for Perfetto or chrome://tracing: processes, threads, calls, faults in time";

struct trace {
    FILE *out;
    bool some;      /* an event was written: the next one needs a comma */
    int pid;        /* number of the recording: real ids repeat, on hosts and in time */
    int64_t offset; /* from this recording's monotonic clock to ns since the begin */
    const struct mh_record *record;
    struct mh_names names;
    int failed;
};

/* Times of a damaged file may be anything. */
static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t before(int64_t at, int64_t ns)
{
    return sum(at, -MH_MIN(MH_MAX(ns, 0), INT64_C(1) << 60));
}

/* One event; takes the object and its arguments. */
static void put(struct trace *t, const char *phase, const char *category, const char *name,
                int64_t at, json_t *more, json_t *args)
{
    json_t *event = json_pack("{s:s, s:s, s:s, s:i, s:I, s:f}", "ph", phase, "cat", category,
                              "name", name, "pid", t->pid, "tid", (json_int_t)t->record->tid, "ts",
                              (double)sum(at, t->offset) / 1e3);

    if (event && more)
        json_object_update(event, more);
    if (event && args)
        json_object_set(event, "args", args);
    if (!event || fputs(t->some ? ",\n" : "\n", t->out) == EOF ||
        json_dumpf(event, t->out, JSON_COMPACT) < 0)
        t->failed = event ? -EIO : -ENOMEM;
    t->some = true;
    json_decref(event);
    json_decref(more);
    json_decref(args);
}

static void slice(struct trace *t, const char *category, const char *name, int64_t begin,
                  int64_t ns, json_t *args)
{
    put(t, "X", category, name, begin, json_pack("{s:f}", "dur", (double)MH_MAX(ns, 0) / 1e3),
        args);
}

/* A slice that others may overlap: its two ends have one id. */
static void span(struct trace *t, const char *category, const char *name, int64_t id, int64_t begin,
                 int64_t end, json_t *args)
{
    char text[48];

    snprintf(text, sizeof(text), "%d.%" PRId64, t->pid, id);
    put(t, "b", category, name, begin, json_pack("{s:s}", "id", text), args);
    put(t, "e", category, name, MH_MAX(begin, end), json_pack("{s:s}", "id", text), NULL);
}

static void instant(struct trace *t, const char *category, const char *name, json_t *args)
{
    put(t, "i", category, name, t->record->at, json_pack("{s:s}", "s", "t"), args);
}

/* UTF-8 whatever the program wrote; cut at the first newline, which parts what is for programs. */
static const char *text(const struct trace *t, char *buffer, size_t size, const char *otherwise)
{
    size_t n = MH_MIN(t->record->tail_len, size - 1);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)t->record->tail[i];

        if (c == '\n') {
            n = i;
            break;
        }
        buffer[i] = c < ' ' ? ' ' : c > 126 ? '?' : (char)c;
    }
    buffer[n] = '\0';
    return n ? buffer : otherwise;
}

static const char *peer_name(const struct trace *t, int64_t peer)
{
    const char *name = mh_names_peer(&t->names, peer);

    return name ? name : "a peer";
}

static void add_err(json_t *args, int64_t err)
{
    const char *name = err < 0 ? mh_eai_name((int)err) : mh_errno_name((int)err);

    if (err)
        json_object_set_new(args, "error", json_string(name ? name : "unknown"));
}

static void on_op(struct trace *t)
{
    struct mh_ev_op e = mh_record_as(t->record, op);
    const char *fault = e.fault ? mh_names_fault(&t->names, e.fault) : NULL;
    const char *kind = e.kind > 0 && e.kind < MH_OP_COUNT ? mh_op_rows[e.kind].name : "operation";
    json_t *args = json_pack("{s:s, s:s, s:I, s:I}", "operation", kind, "peer",
                             e.peer ? peer_name(t, e.peer) : "", "unit", (json_int_t)e.unit, "task",
                             (json_int_t)e.task);
    char name[160];

    add_err(args, e.err);
    if (e.effect > 0 && e.effect <= MH_EFFECT_COUNT)
        json_object_set_new(args, "effect", json_string(mh_effect_rows[e.effect - 1].name));
    snprintf(name, sizeof(name), "%s %s", e.fault ? "fault" : "failed", fault ? fault : kind);
    if (e.delay_ns > 0)
        span(t, "fault", name, e.op, t->record->at,
             sum(t->record->at, MH_MIN(e.delay_ns, INT64_C(1) << 60)), args);
    else
        instant(t, e.fault ? "fault" : "failure", name, args);
}

static void on_response(struct trace *t)
{
    struct mh_ev_response e = mh_record_as(t->record, response);
    json_t *args = json_pack("{s:I, s:I, s:b}", "status", (json_int_t)e.status, "connection",
                             (json_int_t)e.conn, "eof", e.eof != 0);

    add_err(args, e.err);
    span(t, "exchange", peer_name(t, e.peer),
         (int64_t)((uint64_t)e.conn << 20 | (e.exchange & 0xfffff)),
         before(t->record->at, e.latency_ns), t->record->at, args);
}

static void on_unit_end(struct trace *t)
{
    struct mh_ev_unit_end e = mh_record_as(t->record, unit_end);
    char name[200];
    json_t *args = json_pack("{s:I, s:I, s:I}", "status", (json_int_t)e.status, "bytes",
                             (json_int_t)e.bytes, "task", (json_int_t)e.task);

    span(t, "unit", text(t, name, sizeof(name), e.again ? "its answer went on" : "a request"),
         e.unit, e.begun_at > 0 && e.begun_at <= t->record->at ? e.begun_at : t->record->at,
         t->record->at, args);
}

static void on_call(struct trace *t, const char *what, int64_t ns, int64_t peer, int64_t err)
{
    json_t *args = json_object();
    char name[160];

    add_err(args, err);
    snprintf(name, sizeof(name), "%s %s", what, peer ? peer_name(t, peer) : "");
    slice(t, "call", name, before(t->record->at, ns), ns, args);
}

static void on_other(struct trace *t)
{
    int64_t step = t->record->type == MH_EVENT_outcome ? mh_record_as(t->record, outcome).step : 0;
    char name[240], line[200];

    text(t, line, sizeof(line), "");
    line[strcspn(line, "\t")] = '\0';
    switch (t->record->type) {
    case MH_EVENT_outcome:
        snprintf(name, sizeof(name), "%s %s", line, mh_step_name(step) ? mh_step_name(step) : "");
        instant(t, "outcome", name, NULL);
        break;
    case MH_EVENT_log:
        instant(t, "log", *line ? line : "log", NULL);
        break;
    case MH_EVENT_note:
        instant(t, "note", line, NULL);
        break;
    case MH_EVENT_exit:
        instant(t, "process", "exit", NULL);
        break;
    default:
        break;
    }
}

static void on_record(struct trace *t)
{
    switch (t->record->type) {
    case MH_EVENT_op:
        on_op(t);
        break;
    case MH_EVENT_response:
        on_response(t);
        break;
    case MH_EVENT_unit_end:
        on_unit_end(t);
        break;
    case MH_EVENT_connect: {
        struct mh_ev_connect e = mh_record_as(t->record, connect);
        on_call(t, e.side == 2 ? "accept" : "connect", e.wait_ns, e.peer, e.err);
        break;
    }
    case MH_EVENT_waited: {
        struct mh_ev_waited e = mh_record_as(t->record, waited);
        on_call(t, "wait for", e.waited_ns, e.peer, e.err);
        break;
    }
    case MH_EVENT_dns: {
        struct mh_ev_dns e = mh_record_as(t->record, dns);
        on_call(t, "resolve", e.wait_ns, 0, e.result);
        break;
    }
    case MH_EVENT_sleep: {
        struct mh_ev_sleep e = mh_record_as(t->record, sleep);
        slice(t, "call", "sleep", t->record->at, MH_MIN(e.requested_ns, INT64_C(1) << 60), NULL);
        break;
    }
    default:
        on_other(t);
    }
}

/* Names of processes and threads are metadata without a time. */
static void on_process(struct trace *t, const struct mh_file_header *h)
{
    char command[200], name[400];

    snprintf(name, sizeof(name), "%u on %.64s: %s", h->pid, h->host,
             text(t, command, sizeof(command), "a process"));
    put(t, "M", "__metadata", "process_name", (int64_t) - (uint64_t)t->offset, NULL,
        json_pack("{s:s}", "name", name));
}

static int one_file(struct trace *t, const char *path, int64_t *begin)
{
    const struct mh_file_header *h;
    struct mh_reader *reader;
    struct mh_record record;
    int r = mh_reader_open(path, &reader);

    if (r < 0)
        return mh_log_errno(r, "Cannot read '%s'", path), 0; /* the others can be */
    h = mh_reader_header(reader);
    if (*begin == INT64_MIN)
        *begin = h->started_wall;
    t->offset = (int64_t)((uint64_t)h->started_wall - (uint64_t)h->started_mono - (uint64_t)*begin);
    t->pid++;
    t->record = &record;
    memset(&t->names, 0, sizeof(t->names));
    while (!t->failed && mh_reader_next(reader, &record) > 0) {
        if (mh_names_learn(&t->names, &record) < 0)
            t->failed = -ENOMEM;
        if (record.type == MH_EVENT_process)
            on_process(t, h);
        on_record(t);
    }
    mh_names_done(&t->names);
    mh_reader_free(reader);
    return t->failed;
}

static int write_all(FILE *out, void *context)
{
    const struct mh_files *files = context;
    struct trace t = {.out = out};
    int64_t begin = INT64_MIN;
    int r = 0;

    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"made_by\":\"mishap " MISHAP_VERSION
          "\"},\"traceEvents\":[",
          out);
    for (size_t i = 0; i < files->n && !r; i++)
        r = one_file(&t, files->names[i], &begin);
    fputs("\n]}\n", out);
    return r;
}

int mh_trace(const char *const *dirs, size_t n, const char *path)
{
    struct mh_files files = {0};
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++)
        r = mh_files_add(&files, dirs[i]);
    if (r >= 0 && !files.n) {
        mh_log("there is no recording (*.mhr) in '%s'", dirs[0]);
        r = -ENOENT;
    } else if (r >= 0) {
        r = mh_files_write(path, write_all, &files);
        if (r < 0)
            mh_log_errno(r, "Cannot write the trace");
    } else {
        mh_log_errno(r, "Cannot read the recordings");
    }
    mh_files_done(&files);
    return r < 0 ? MH_EXIT_TROUBLE : MH_EXIT_OK;
}
