/* SPDX-License-Identifier: Apache-2.0 */
/* One recording taken in, record by record; see read.h. Nothing in a file is trusted: ids are
 * looked up in maps, numbers are bounded, texts have lengths. */
#include "model/read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "model/site.h"
#include "model/skim.h"

#include "base/banned.h"

uint32_t mh_intake_number(const struct mh_map *map, int64_t id)
{
    uint32_t v = id > 0 ? mh_map_get(map, (uint64_t)id) : MH_MAP_NONE;

    return v == MH_MAP_NONE ? 0 : v;
}

struct mh_act *mh_intake_act(struct mh_intake *in, enum mh_act_kind kind, int64_t stack,
                             int64_t task, int64_t unit)
{
    struct mh_act *a = mh_vec_add(&in->m->acts);
    uint32_t u;

    if (!a)
        return NULL;
    a->kind = kind;
    a->tid = in->record->tid;
    a->process = in->process;
    a->task = (uint64_t)task;
    a->piece = mh_intake_piece(in, a->task);
    a->stack = mh_intake_number(&in->stacks, stack);
    a->site = a->stack ? in->m->stacks.v[a->stack - 1].site : 0;
    a->at = a->until = in->record->at + in->offset;
    u = unit > 0 ? mh_map_get(&in->units, (uint64_t)unit) : MH_MAP_NONE;
    if (u != MH_MAP_NONE && in->m->units.v[u].task_run) {
        int64_t really = mh_intake_task_call(in, u, a->stack);

        if (really < 0)
            return NULL;
        u = (uint32_t)really;
    }
    a->unit = u == MH_MAP_NONE ? 0 : u + 1;
    return a;
}

struct mh_conn *mh_intake_conn(struct mh_intake *in, int64_t id)
{
    uint32_t have;
    struct mh_conn *c;

    if (id <= 0)
        return NULL;
    have = mh_map_get(&in->conns, (uint64_t)id);
    if (have != MH_MAP_NONE)
        return &in->m->conns.v[have];
    c = mh_vec_add(&in->m->conns);
    if (!c || mh_map_set(&in->conns, (uint64_t)id, (uint32_t)in->m->conns.n - 1))
        return NULL;
    c->process = in->process;
    c->id = (uint64_t)id;
    return c;
}

static int64_t tail_text(struct mh_intake *in)
{
    return mh_texts_add(&in->m->texts, in->record->tail, in->record->tail_len);
}

/* Times of a damaged file may be anything: what follows adds and subtracts without overflow. */
static int64_t sane(int64_t ns)
{
    return mh_intake_time(ns);
}

/* Wall time in ns since 1970 is past 2^60 since 2006; this bound is the year 2096. */
static int64_t wall(int64_t ns)
{
    const int64_t bound = INT64_C(4000000000000000000);

    return ns < 0 ? 0 : MH_MIN(ns, bound);
}

static int on_process(struct mh_intake *in)
{
    struct mh_ev_process e = mh_record_as(in->record, process);
    struct mh_process *p = mh_intake_process(in);
    int64_t command = tail_text(in);

    if (command < 0)
        return -ENOMEM;
    p->command = (uint32_t)command;
    p->pid = (int)e.pid;
    p->ppid = (int)e.ppid;
    p->forked = e.forked != 0;
    p->attached = e.attached != 0;
    p->python = (uint32_t)e.python;
    p->seed = (uint64_t)e.seed;
    p->digests = e.digests;
    p->recorded = true;
    if (!in->m->seed && !p->baseline)
        in->m->seed = p->seed;
    return 0;
}

static int on_note(struct mh_intake *in)
{
    struct mh_ev_note e = mh_record_as(in->record, note);
    struct mh_process *p = mh_intake_process(in);
    int64_t text = tail_text(in);

    if (text < 0)
        return -ENOMEM;
    p->traced_by_other |= e.code == MH_NOTE_trace_taken;
    p->no_stacks |= e.code == MH_NOTE_no_stacks;
    p->no_outcomes |= e.code == MH_NOTE_no_outcome;
    if (p->traced_by_other || p->no_stacks || p->no_outcomes)
        p->lacks = p->lacks ? p->lacks : (uint32_t)text;
    p->bad_config |= e.code == MH_NOTE_bad_config;
    p->bypass |= e.code == MH_NOTE_bypass;
    p->detached |= e.code == MH_NOTE_detached;
    if (e.code == MH_NOTE_room) /* nothing that is not seen */
        return 0;
    for (size_t i = 0; i < in->m->notes.n; i++)
        if (in->m->notes.v[i] == (uint32_t)text)
            return 0;
    if (in->m->notes.n < 100) {
        uint32_t *slot = mh_vec_add(&in->m->notes);

        if (!slot)
            return -ENOMEM;
        *slot = (uint32_t)text;
    }
    return 0;
}

/* "name:port", or "address:port" when no name was asked for; addresses of one name are one peer. */
static int64_t peer_name(struct mh_intake *in, const struct mh_ev_peer *e)
{
    const char *name = "", *address = "";
    size_t n = mh_intake_line(in, 0, &name), k = mh_intake_line(in, 1, &address);
    char text[320];
    int len;

    if (!n) {
        name = address;
        n = k;
    }
    if (e->port > 0)
        len = snprintf(text, sizeof(text), memchr(name, ':', n) ? "[%.*s]:%d" : "%.*s:%d",
                       (int)MH_MIN(n, 280), name, (int)e->port);
    else
        len = snprintf(text, sizeof(text), "%.*s", (int)MH_MIN(n, 300), name);
    return mh_texts_add(&in->m->texts, text, (size_t)len);
}

static int on_peer(struct mh_intake *in)
{
    struct mh_ev_peer e = mh_record_as(in->record, peer);
    int64_t name = peer_name(in, &e);
    struct mh_peer_seen *p;
    uint32_t have;

    if (name < 0)
        return -ENOMEM;
    if (e.side == 2)
        return 0;
    have = mh_map_get(&in->m->peer_keys, (uint64_t)name);
    if (have == MH_MAP_NONE) {
        p = mh_vec_add(&in->m->peers);
        have = (uint32_t)in->m->peers.n;
        if (!p || mh_map_set(&in->m->peer_keys, (uint64_t)name, have))
            return -ENOMEM;
        p->name = (uint32_t)name;
        p->port = (int)e.port;
        p->role = mh_role_of_port(p->port);
    }
    return mh_map_set(&in->peers, (uint64_t)e.peer, have);
}

static int on_path(struct mh_intake *in)
{
    struct mh_ev_path e = mh_record_as(in->record, path);
    char name[1024] = "";
    int64_t text;

    /* files named by ids are one path: what happens to one may happen to each */
    mh_route_template(in->record->tail, in->record->tail_len, name, sizeof(name));
    text = mh_texts_add(&in->m->texts, name, strlen(name));
    return text < 0 ? -ENOMEM : mh_map_set(&in->paths, (uint64_t)e.path, (uint32_t)text);
}

static int on_stack(struct mh_intake *in)
{
    struct mh_ev_stack e = mh_record_as(in->record, stack);
    int64_t number =
        mh_model_add_stack(in->m, in->record->tail, in->record->tail_len, e.native != 0);

    struct mh_process *p = mh_intake_process(in);
    uint8_t part;

    if (number <= 0)
        return number < 0 ? -ENOMEM : 0;
    part = in->m->stacks.v[number - 1].part;
    if (part && (!p->part || part < p->part))
        p->part = part;
    return mh_map_set(&in->stacks, (uint64_t)e.stack, (uint32_t)number);
}

/* Ids of traces are as many as requests; whoever looks for one has `mishap events --grep`. */
static size_t words_without_trace(const struct mh_record *record)
{
    static const char mark[] = "trace:";
    const char *last = memrchr(record->tail, ' ', record->tail_len);
    size_t begin = last ? (size_t)(last + 1 - record->tail) : 0;

    if (record->tail_len - begin < sizeof(mark) - 1 ||
        memcmp(record->tail + begin, mark, sizeof(mark) - 1) != 0)
        return record->tail_len;
    return begin ? begin - 1 : 0;
}

static int on_log(struct mh_intake *in)
{
    struct mh_ev_log e = mh_record_as(in->record, log);
    size_t len = words_without_trace(in->record);
    int64_t words = mh_texts_add(&in->m->texts, in->record->tail, len);
    struct mh_act *a;
    uint32_t u;

    u = e.unit > 0 ? mh_map_get(&in->units, (uint64_t)e.unit) : MH_MAP_NONE;
    if (u != MH_MAP_NONE && in->m->units.v[u].task_run &&
        mh_intake_task_call(in, u, mh_intake_number(&in->stacks, e.stack)) < 0)
        return -ENOMEM;
    /* lines that say nothing of a failure are not kept: an access log would be most of the memory
     */
    if (!words && e.level < MH_LEVEL_warning && !e.traceback) {
        in->m->logs_seen++;
        return 0;
    }
    a = mh_intake_act(in, MH_ACT_log, 0, e.task, e.unit);
    if (!a || words < 0)
        return -ENOMEM;
    a->log.words = (uint32_t)words;
    a->log.level = (int32_t)e.level;
    a->log.traceback = e.traceback != 0;
    a->log.same = (uint64_t)e.same;
    a->log.ident = e.ident != 0;
    in->m->logs_seen++;
    return 0;
}

static int on_dns(struct mh_intake *in)
{
    struct mh_ev_dns e = mh_record_as(in->record, dns);
    struct mh_act *a = mh_intake_act(in, MH_ACT_dns, e.stack, e.task, e.unit);
    int64_t name = tail_text(in);

    if (!a || name < 0)
        return -ENOMEM;
    a->dns.name = (uint32_t)name;
    a->dns.wait = sane(e.wait_ns);
    a->dns.result = (int32_t)e.result;
    a->at -= sane(e.wait_ns);
    return 0;
}

static int on_exited(struct mh_intake *in)
{
    struct mh_ev_exit e = mh_record_as(in->record, exit);
    struct mh_process *p = mh_intake_process(in);

    p->exited = true;
    p->exit_status = (int)e.status;
    return 0;
}

static int on_file(struct mh_intake *in)
{
    struct mh_ev_file e = mh_record_as(in->record, file);
    struct mh_act *a = mh_intake_act(in, MH_ACT_file, e.stack, e.task, e.unit);

    if (!a)
        return -ENOMEM;
    a->file.path_id = (uint32_t)e.path;
    a->file.had = MH_MAX(e.had, 0);
    a->file.flags = (int32_t)e.flags;
    a->file.path = mh_intake_number(&in->paths, e.path);
    return 0;
}

static int on_spoken(struct mh_intake *in)
{
    struct mh_ev_spoken e = mh_record_as(in->record, spoken);

    if (e.side == 2 && e.what > MH_SPOKEN_none && e.what < MH_SPOKEN_COUNT)
        in->m->unread[e.what]++;
    return 0;
}

static int on_listening(struct mh_intake *in)
{
    struct mh_ev_listening e = mh_record_as(in->record, listening);

    mh_intake_process(in)->listening = (int)(e.port & 0xffff) + 1;
    return 0;
}

static int (*const intakes[MH_EVENT_COUNT])(struct mh_intake *) = {
    [MH_EVENT_process] = on_process,
    [MH_EVENT_note] = on_note,
    [MH_EVENT_fault] = mh_intake_fault,
    [MH_EVENT_phase] = mh_intake_phase,
    [MH_EVENT_origin] = mh_intake_origin,
    [MH_EVENT_peer] = on_peer,
    [MH_EVENT_path] = on_path,
    [MH_EVENT_stack] = on_stack,
    [MH_EVENT_connect] = mh_intake_connect,
    [MH_EVENT_connected] = mh_intake_connected,
    [MH_EVENT_close] = mh_intake_close,
    [MH_EVENT_request] = mh_intake_request,
    [MH_EVENT_response] = mh_intake_response,
    [MH_EVENT_wait] = mh_intake_wait,
    [MH_EVENT_waited] = mh_intake_waited,
    [MH_EVENT_op] = mh_intake_op,
    [MH_EVENT_rest] = mh_intake_rest,
    [MH_EVENT_outcome] = mh_intake_outcome,
    [MH_EVENT_unit_begin] = mh_intake_unit_begin,
    [MH_EVENT_unit_end] = mh_intake_unit_end,
    [MH_EVENT_log] = on_log,
    [MH_EVENT_sleep] = mh_intake_sleep,
    [MH_EVENT_dns] = on_dns,
    [MH_EVENT_locked] = mh_intake_locked,
    [MH_EVENT_clock] = mh_intake_clock,
    [MH_EVENT_exit] = on_exited,
    [MH_EVENT_file] = on_file,
    [MH_EVENT_listening] = on_listening,
    [MH_EVENT_child] = mh_intake_ending,
    [MH_EVENT_stop] = mh_intake_ending,
    [MH_EVENT_listener] = mh_intake_ending,
    [MH_EVENT_begun] = mh_intake_begun,
    [MH_EVENT_serves] = mh_intake_serves,
    [MH_EVENT_task_begin] = mh_intake_task_begin,
    [MH_EVENT_spoken] = on_spoken,
    [MH_EVENT_task_end] = mh_intake_task_end,
    [MH_EVENT_kernel] = mh_intake_kernel,
    [MH_EVENT_kernel_exit] = mh_intake_kernel,
    [MH_EVENT_kernel_oom] = mh_intake_kernel,
    [MH_EVENT_kernel_signal] = mh_intake_kernel,
    [MH_EVENT_kernel_tcp] = mh_intake_kernel,
    [MH_EVENT_kernel_failed] = mh_intake_kernel,
};

int64_t mh_intake_offset(const struct mh_file_header *h)
{
    return wall(h->started_wall) - sane(h->started_mono);
}

/* Processes of one host share a clock: the first file's offset is everybody's, so that a step of
 * the wall clock between two starts does not tear them apart. */
static int process_add(struct mh_intake *in, const struct mh_file_header *h, bool baseline)
{
    int64_t host = mh_texts_add(&in->m->texts, h->host, strnlen(h->host, sizeof(h->host)));
    struct mh_process *p = mh_vec_add(&in->m->processes);
    int64_t mono = sane(h->started_mono);

    if (host < 0 || !p)
        return -ENOMEM;
    in->process = (uint32_t)in->m->processes.n - 1;
    in->offset = mh_intake_offset(h);
    for (uint32_t i = 0; i < in->process; i++)
        if (in->m->processes.v[i].host == (uint32_t)host &&
            in->m->processes.v[i].baseline == baseline) {
            in->offset = in->m->processes.v[i].offset;
            break;
        }
    *p = (struct mh_process){.host = (uint32_t)host,
                             .pid = (int)h->pid,
                             .complete = h->complete != 0,
                             .baseline = baseline,
                             .lost = h->lost,
                             .cut = h->cut_at > 0 ? sane(h->cut_at) + in->offset : 0,
                             .offset = in->offset,
                             .exit_status = -1,
                             .started = mono + in->offset,
                             .first_unit = in->m->units.n,
                             .first_act = in->m->acts.n};
    p->last = p->started;
    return 0;
}

static void process_end(struct mh_intake *in, const struct mh_reader *r)
{
    struct mh_process *p = mh_intake_process(in);

    mh_intake_pieces_end(in);
    p->events = mh_reader_events(r);
    p->holes = mh_reader_holes(r);
    p->nacts = in->m->acts.n - p->first_act;
    in->m->events += p->events;
    in->m->holes += p->holes;
    in->m->lost += p->lost;
    in->m->sampled += mh_reader_header(r)->sampled;
    in->m->files++;
    for (size_t i = in->m->units.n; i-- > 0 && in->m->units.v[i].process == in->process;) {
        struct mh_unit *u = &in->m->units.v[i];

        if (u->open && (!u->task_run || in->m->tasks.v[u->task_run - 1].exact)) {
            u->ended = MH_MAX(p->last, u->begun);
            u->latency = u->ended - u->begun;
        }
    }
}

int mh_model_read(struct mh_model *m, const char *path, bool baseline, const struct mh_skim *skim)
{
    struct mh_skimming skimming = {.s = skim};
    struct mh_intake in = {.m = m, .first_piece = m->pieces.n};
    struct mh_map *const maps[] = {
        &in.peers, &in.paths,  &in.stacks, &in.conns,         &in.accepted,       &in.units,
        &in.ops,   &in.faults, &in.pieces, &in.piece_of_task, &in.piece_of_thread};
    struct mh_reader *r = NULL;
    struct mh_record record;
    int err = mh_reader_open(path, &r);

    if (err)
        return err;
    err = process_add(&in, mh_reader_header(r), baseline);
    while (!err && mh_reader_next(r, &record) > 0) {
        in.record = &record;
        record.at = sane(record.at);
        if (record.type < MH_EVENT_COUNT && intakes[record.type] &&
            !mh_skim_leaves_out(&skimming, &in))
            err = intakes[record.type](&in);
        if (!err)
            err = mh_intake_hook_failure(&in);
        if (!mh_intake_is_ours(record.type))
            mh_intake_process(&in)->last =
                MH_MAX(mh_intake_process(&in)->last, record.at + in.offset);
    }
    if (!err && skimming.no_memory)
        err = -ENOMEM;
    if (!err)
        process_end(&in, r);
    m->skimmed += skimming.left_out;
    mh_skimming_done(&skimming);
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        mh_map_done(maps[i]);
    mh_reader_free(r);
    return err;
}
