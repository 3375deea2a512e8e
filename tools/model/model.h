/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings turned into what a grader asks for: units of work, and in each of them attempts,
 * waits, operations that a fault touched or that failed, logs and sleeps. Times are nanoseconds of
 * the wall clock, one offset per host. Numbers of routes, sites, peers, stacks, texts and units are
 * 1-based, 0 means none. Memory grows with what happened (faults, failures and what was done around
 * them), and of the rest up to a bound: see skim.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "model/vec.h"
#include "model/waits.h"
#include "model/world.h"
#include "table/table.h"

enum mh_role {
    MH_ROLE_other,
    MH_ROLE_http,
    MH_ROLE_cache,
    MH_ROLE_db,
    MH_ROLE_queue,
    MH_ROLE_telemetry,
    MH_ROLE_mail,
    MH_ROLE_store, /* redis with keys that are meant to stay */
    MH_ROLE_COUNT
};
extern const char *const mh_role_names[MH_ROLE_COUNT];

struct mh_frame {
    uint32_t function, file; /* texts */
    int32_t line;
    enum mh_frame_kind { MH_FRAME_app, MH_FRAME_library, MH_FRAME_stdlib } kind;
};

enum { MH_SITE_DEPTH = 5 };

/* Innermost application frame and its application callers, without line numbers. */
struct mh_site {
    uint64_t key; /* stable across runs */
    struct mh_frame frames[MH_SITE_DEPTH];
    unsigned nframes;
    bool app;       /* false: no application frame was on the stack, frames[0] is what there was */
    uint32_t stack; /* an example */
    uint64_t calm_calls, calls;
};

struct mh_stack {
    uint32_t frames, nframes; /* in model->frames, innermost first */
    uint32_t site;
    uint32_t library; /* text: top-level package of the innermost client library frame */
    uint8_t part;     /* what it says of its process: row of parts.def plus 1 */
    uint8_t state;    /* what it says of the task it is part of: enum mh_task_state */
};

/* What a redis command does to its key; none: it is no redis command. */
enum mh_redis_use {
    MH_REDIS_none,
    MH_REDIS_other,
    MH_REDIS_read,
    MH_REDIS_range, /* reads a part of a list, or cuts it: it is kept to be looked at */
    MH_REDIS_lease,
    MH_REDIS_expire,
    MH_REDIS_keep,
    MH_REDIS_drop,
    MH_REDIS_push,
    MH_REDIS_wait
};
struct mh_redis_seen {
    uint64_t commands, leased, expired, kept; /* keys written with a lifetime, or for good */
    uint64_t pushed, ranged; /* of those: added to a list; parts of lists read, or cut off */
};
enum mh_redis_kind { MH_REDIS_unknown, MH_REDIS_cache, MH_REDIS_store, MH_REDIS_mixed };

struct mh_peer_seen {
    uint32_t name; /* text: name or address, and port */
    int port;
    enum mh_role role;
    bool role_given; /* by the user, not guessed */
    struct mh_redis_seen redis;
    uint64_t calls, faults, failures;
    MH_VEC(int64_t) latencies; /* of clean answers, ns; at most MH_LATENCIES of them */
};
enum { MH_LATENCIES = 1 << 14 };

/* What one exact path answered while all was calm. */
struct mh_path_seen {
    unsigned calm, bodies; /* answers; those whose digests have one key, `digests` */
    int status;
    uint64_t digest, keys;
    int64_t digests, nkeys, bytes;
    bool flaky_status, flaky_body, flaky_keys;
};

struct mh_route {
    uint32_t name;              /* text: "GET /items/{n}" */
    bool health;                /* a probe: health, ready, live, metrics */
    unsigned calm, calm_failed; /* units */
    struct mh_path_seen usual;  /* over all of its paths */
    int64_t calm_p50, calm_p95, calm_p99;
    int64_t calm_queued; /* the longest, as of a unit */
    int64_t deadline;
    int64_t last_ok; /* end of the last unit that was well and untouched by a fault */
};

enum mh_unit_kind { MH_UNIT_request, MH_UNIT_command, MH_UNIT_task, MH_UNIT_websocket };
extern const char *const mh_unit_kind_names[];

/* How a run of a task ended; the recorder's words and one more. */
enum { MH_TASK_killed = MH_TASK_rejected + 1, MH_TASK_STATES };
extern const char *const mh_task_state_names[];

/* One run of a task of a queue. */
struct mh_task {
    uint32_t framework, name, id, exception; /* texts, 0 not known */
    int state;                               /* enum mh_task_state, or MH_TASK_killed */
    bool exact; /* its begin and its end were seen; else what is known is its first and last call */
};

struct mh_unit {
    enum mh_unit_kind kind;
    uint32_t task_run; /* in model->tasks plus 1 */
    uint32_t process, route;
    uint32_t path; /* text: method and path as asked; behind TLS, whose code it ran */
    uint32_t stack;
    uint64_t id, task;
    uint32_t tid;
    int32_t status; /* of what is no request: 200 fine, 500 not */
    int32_t how;
    int64_t begun, ended, latency, bytes;
    int64_t queued; /* from when its connection was taken in to the first byte read of it */
    uint64_t digest, keys;
    int64_t nkeys, retry_after, fds_begun, fds_ended;
    int64_t rss_kb;            /* 0: not looked at */
    uint32_t first_act, nacts; /* in model->by_unit */
    uint32_t became;           /* index plus 1 of the WebSocket that this request turned into */
    bool open;                 /* it had not ended when the recording did */
    bool sealed;               /* behind TLS: its status and body are not known */
    bool command;              /* no request: the run of a command or a task, a WebSocket */
    bool calm;                 /* fault-free, before the first fault or of a baseline */
    bool touched;              /* a fault fired in it, or an operation failed */
    bool faulted;              /* a fault fired in it */
    uint64_t worker;           /* attribution: the thread or task that works for it */
};

/* A piece of work that another one began: a task of an event loop, or what a thread was handed. */
struct mh_piece {
    int64_t at;            /* wall: when it was begun */
    uint64_t by_task;      /* in which task; 0 none */
    uint32_t by;           /* in model->pieces plus 1, 0 not known */
    uint32_t unit;         /* index plus 1, 0 not known: whose work it is */
    uint32_t process, tid; /* that began it */
    enum mh_piece_kind { MH_PIECE_task = 1, MH_PIECE_item, MH_PIECE_context, MH_PIECE_thread } kind;
    bool told, mixed; /* the recorder named its unit; its calls belong to several */
    bool arrival;     /* a loop began it with what it had read of a request */
};

enum mh_act_kind {
    MH_ACT_attempt,
    MH_ACT_wait,
    MH_ACT_waited,
    MH_ACT_op,
    MH_ACT_log,
    MH_ACT_sleep,
    MH_ACT_dns,
    MH_ACT_close,
    MH_ACT_file
};

/* One thing that the application did; there are as many as calls, so every byte counts. `at` is its
 * begin, `until` its end as far as known. */
struct mh_act {
    enum mh_act_kind kind : 4;
    bool outlived : 1;                  /* by the work of a unit that has ended: background */
    bool ambiguous : 1;                 /* the unit is the likeliest of several */
    bool blocking : 1;                  /* waited */
    bool pending : 1;                   /* wait, close: a request had no answer */
    bool pooled : 1;                    /* attempt: on a connection that was open before */
    bool failed : 1;                    /* attempt */
    bool answered : 1;                  /* attempt: a response came */
    bool from_op : 1, from_connect : 1; /* attempt: which records have told of it */
    bool loop : 1;                      /* wait, waited: on a set of descriptors */
    bool connecting : 1;
    bool keyed : 1;       /* attempt: it has an Idempotency-Key */
    bool unlimited : 1;   /* attempt: a blocking connect without a limit */
    int retry_after : 16; /* attempt: s, 0 none */
    uint32_t tid, process, unit, stack, site, peer;
    uint32_t conn;       /* 1-based in model->conns */
    uint32_t attempt_of; /* act index plus 1 of the attempt that was current on that connection */
    uint32_t piece;      /* in model->pieces plus 1: what it is part of, 0 not known */
    uint64_t task;
    int64_t at, until;
    union {
        struct {
            int64_t ended;     /* when it failed or was answered, 0 unknown */
            uint64_t digest;   /* of the request's first bytes, 0 when none left */
            uint32_t text;     /* method and path */
            uint32_t bytes;    /* of the request's first send */
            int32_t family_id; /* recorded peer id: tells addresses of one name apart */
            int16_t err, status;
        } attempt;
        struct {
            int64_t timeout, waited;
            int32_t ready, call : 31; /* ready: as recorded, or MH_WAIT_WENT_ON */
            bool user_limit : 1;      /* TCP_USER_TIMEOUT is set */
        } wait;                       /* and waited */
        uint32_t op;                  /* index in model->ops */
        struct {
            uint32_t words; /* text */
            uint64_t same;  /* digest of the line, digits masked */
            int32_t level;
            bool traceback, ident;
        } log;
        int64_t requested; /* sleep */
        struct {
            uint32_t path;    /* text, numbers masked */
            uint32_t path_id; /* of its process: tells apart what one text stands for */
            int32_t flags;    /* of open(), as Linux has them */
            int64_t had;      /* bytes that it emptied, plus 1; 0 not known */
        } file;               /* opened for writing */
        struct {
            int32_t result;
            uint32_t name; /* text */
            int64_t wait;
        } dns;
    };
};

struct mh_step_seen {
    uint32_t op;
    uint8_t step, source;
    uint32_t type;
    struct mh_frame frame;
};

/* What followed a transfer that moved fewer bytes than asked for. */
struct mh_rest_seen {
    enum mh_rest_how { MH_REST_none, MH_REST_moved, MH_REST_other, MH_REST_nothing } how : 8;
    bool whole, listened, awaited; /* as in the record */
    int64_t asked, moved;
};

struct mh_op_seen {
    uint32_t act; /* index in model->acts */
    enum mh_op_kind kind;
    int call, err, result_ok; /* result_ok: the program got a good result */
    uint32_t path, path_id; /* text, of a class of paths; number of this very one in its process */
    int32_t fault;          /* index in model->faults plus 1; 0 real */
    int effect;             /* enum mh_effect plus 1 */
    int64_t delay, wait, timeout, ordinal;
    bool nonblocking, client;
    uint32_t native; /* stack of machine code: where no Python is, or memory was refused */
    int64_t exchange;
    struct mh_rest_seen rest;
    uint32_t attempt;       /* act index plus 1 of the attempt it belongs to */
    uint32_t steps, nsteps; /* in model->steps */
};

struct mh_conn {
    uint32_t process, peer, attempt; /* last attempt, act index plus 1 */
    uint32_t site, stack;
    uint64_t id;                  /* as recorded; the same in a process that was forked since */
    int64_t opened_at, closed_at; /* 0: not by this process, not at all */
    int64_t asked_at;             /* the last request */
    uint32_t lapse;               /* the last wait on it that ran out, act index plus 1 */
    uint64_t exchanges;
};

struct mh_fault_seen {
    uint32_t name, file, sentence;
    int line;
    uint64_t ops;
    uint32_t effects;
    int64_t delay;
    uint64_t fired;
    int64_t first, last; /* when it fired */
    bool defined;
    bool in_phases; /* some phase names it: then its times are the phases' */
};

struct mh_phase_seen {
    uint32_t name;
    int64_t start, end;      /* wall, end 0: open */
    MH_VEC(uint32_t) faults; /* indices plus 1 in model->faults */
    bool defined;
};

struct mh_process {
    uint32_t host, command; /* texts */
    int pid, ppid;
    bool forked, complete, baseline;
    bool attached, detached; /* it ran before; it runs on */
    uint32_t python;
    uint64_t seed, lost, holes, events;
    int64_t started, last;   /* wall */
    int64_t offset, digests; /* wall - monotonic; which key its digests have, 0 not told */
    int exit_status;         /* -1: no exit record */
    bool exited;
    int64_t cut;             /* wall: when its recording could not go on; 0: it could */
    int64_t killed_at;       /* wall: mishap killed it; 0: it did not */
    int64_t refused_at;      /* wall: the last allocation that was refused; 0 none */
    uint32_t refused_native; /* stack, as in acts: how the interpreter came to it */
    int64_t limit_at;        /* wall: the last accept() that a limit refused; 0 none */
    int limit_err;           /* its errno */
    int64_t limit_from;      /* when the span began in which they are counted */
    unsigned limit_now;      /* ... there */
    unsigned limit_rate;     /* the most of them within a second */
    int door_fd;             /* the lowest descriptor that an accept() gave; 0 none */
    uint32_t limit_stack;    /* as in acts */
    int listening;           /* port + 1 */
    bool recorded;           /* it has a process record of its own */
    uint8_t part;            /* as in struct mh_stack */
    bool traced_by_other, no_stacks, no_outcomes, bad_config, bypass;
    uint32_t lacks; /* text: why stacks or outcomes are not known here; 0: they are */
    size_t first_unit, nunits, first_act, nacts;
    bool command_run; /* no server is in this run: the process is one unit of work */
};

/* System calls of one process that failed alike, as the kernel counted them. */
struct mh_kernel_call {
    int pid;
    enum mh_op_kind kind;
    int err; /* 0: it went well, and leads past libc */
    uint32_t name, program;
    uint64_t count;
    int64_t last;
};

struct mh_kernel_end {
    int pid, status, signal, sender;
    uint32_t program, sender_program;
    bool oom;
};

/* A signal that was sent to a process of the run. */
struct mh_kernel_signal {
    int pid, signal, sender;
    int64_t at; /* wall */
};

/* What the kernel said of the run. */
struct mh_kernel_seen {
    bool told; /* a recording says whether the kernel was watched */
    int loaded, programs;
    uint32_t missing; /* text */
    /* What the library's probes said it had recorded, and what the recordings hold of it. */
    bool probed;
    uint64_t faults_said, failures_said, faults, failures;
    uint64_t lost, resets_received, resets_sent, retransmits;
    MH_VEC(struct mh_kernel_call) calls;
    MH_VEC(struct mh_kernel_end) ends;
    MH_VEC(struct mh_kernel_signal) signals;
    struct mh_map hooked; /* failures that hooks saw, by process, kind of operation and errno */
};

/* A TCP port at which the run listened when it was to be stopped. */
struct mh_listener_seen {
    int port;
    unsigned waiting; /* connections that nobody had taken */
    int64_t at;       /* wall */
    int holders[32];  /* processes that had it open */
    unsigned nholders;
};

struct mh_stop_seen {
    int signal;
    int64_t at; /* wall */
};

struct mh_model {
    struct mh_texts texts;
    MH_VEC(struct mh_process) processes;
    MH_VEC(struct mh_frame) frames;
    MH_VEC(struct mh_stack) stacks;
    MH_VEC(struct mh_site) sites;
    MH_VEC(struct mh_peer_seen) peers;
    MH_VEC(struct mh_route) routes;
    MH_VEC(struct mh_path_seen) paths; /* found by path_keys, from the text of unit.path */
    MH_VEC(int64_t) spent;             /* wall: no descriptor was left for a socket, really */
    MH_VEC(struct mh_timer) timers;    /* by process, then by time */
    MH_VEC(struct mh_task) tasks;
    MH_VEC(struct mh_unit) units; /* by process, then in the order of the recording */
    MH_VEC(struct mh_act) acts;   /* by process, then in the order of the recording */
    MH_VEC(struct mh_piece) pieces;
    MH_VEC(struct mh_op_seen) ops;
    MH_VEC(struct mh_step_seen) steps;
    MH_VEC(struct mh_locked) locked;     /* by process, by time of their end */
    MH_VEC(struct mh_moved_seen) moves;  /* in the order of their acts */
    MH_VEC(struct mh_clock_seen) clocks; /* by process, by time */
    MH_VEC(struct mh_conn) conns;
    MH_VEC(struct mh_fault_seen) faults;
    MH_VEC(struct mh_phase_seen) phases;
    MH_VEC(uint32_t) by_unit;  /* act indices, by unit, by time */
    MH_VEC(uint32_t) scenario; /* texts: files */
    struct mh_map stack_keys, site_keys, peer_keys, route_keys, path_keys;
    uint32_t common_dir;             /* text: prefix of all application files */
    int64_t origin, first, last;     /* wall; origin 0: not known */
    int64_t first_fault, last_fault; /* 0: none fired */
    int64_t calm_until;              /* units that ended before are calm */
    size_t calm_units;
    uint64_t sealed;                  /* units behind TLS, but for those of a baseline */
    uint64_t unread[MH_SPOKEN_COUNT]; /* inbound connections that speak what is not read */
    uint64_t fired, lost, holes, events, files, steps_seen, stacks_seen, logs_seen;
    uint64_t skimmed; /* routine events that were read and not kept here: see skim.h */
    uint64_t sampled; /* of those lost: routine ones, left out near the limit of a recording */
    uint64_t seed;
    struct mh_kernel_seen kernel;
    int child_status; /* of the command; INT32_MIN not known */
    bool child_stopped;
    bool supervised;     /* as in struct mh_model_options */
    int64_t child_ended; /* wall; 0 not known */
    int64_t looked_at;   /* when the next was looked for; 0 it was not */
    MH_VEC(struct mh_listener_seen) listeners;
    MH_VEC(struct mh_stop_seen) stops; /* by which mishap ended it, in order */
    bool child_never_ready;            /* it was to answer somewhere, and did not */
    int child_pid;
    uint32_t child_command;
    MH_VEC(uint32_t) notes;   /* texts: what mishap said of itself */
    MH_VEC(uint32_t) skipped; /* texts: files that could not be read, and why */
};

struct mh_model_options {
    const char *const *baselines; /* clean recordings */
    size_t nbaselines;
    uint64_t keep; /* routine events kept of a long time when all went well; 0 the usual */
    const char *const *roles; /* "PEER=role", ends with NULL; may be NULL */
    bool supervised;          /* `mishap run` made them, and was to record how its command ended */
};

/* Reads the recordings below `dirs` (directories, searched deeply, or files). A file that is
 * damaged is read as far as it goes; one that is no recording is named in `skipped`. Returns 0,
 * -ENOENT when there is no recording at all, -EBADMSG when none could be read, or another negative
 * errno. Free with mh_model_free(). `options` may be NULL. */
int mh_model_load(const char *const *dirs, size_t n, const struct mh_model_options *options,
                  struct mh_model **ret);
struct mh_model *mh_model_free(struct mh_model *model);

static inline const char *mh_model_text(const struct mh_model *m, uint32_t number)
{
    return mh_texts_get(&m->texts, number);
}

/* The application's file name without what all of its files share. Borrowed. */
const char *mh_model_file(const struct mh_model *m, uint32_t file);

/* Is this task a greenlet, and no coroutine? Nothing ends it from outside. */
static inline bool mh_task_is_greenlet(uint64_t task)
{
    return task & 1;
}

/* Did the unit fail by its own report: 5xx, cut without an answer, a command's bad exit? */
static inline bool mh_unit_failed(const struct mh_unit *u)
{
    return !u->open && (u->status >= 500 || (u->status == 0 && u->how == 2));
}

/* When the timer was due that woke this thread's event loop, and by that the act: the last before
 * it, at most 20 ms before, and after `from`. 0: nothing of that kind was seen. */
int64_t mh_model_timer(const struct mh_model *m, const struct mh_act *a, int64_t from);

/* Is it known that this process has ended? Where it left without a word: when the run of the
 * command is over, the kernel saw it end, or its place was taken by another. */
bool mh_process_gone(const struct mh_model *m, const struct mh_process *p);

/* What this process is to the application: "celery worker", "server", "command"; NULL unknown. */
const char *mh_process_role(const struct mh_process *p);

/* q-quantile (0..1) of n sorted values; 0 when there are none. */
int64_t mh_quantile(const int64_t *sorted, size_t n, double q);
int mh_compare_int64(const void *a, const void *b);

/* Of the text of a request on a client connection. */
enum mh_redis_use mh_redis_use_of(const char *text);
void mh_redis_count(struct mh_redis_seen *r, const char *text);
/* A cache when keys are written with a time to live and none, or few, without. */
enum mh_redis_kind mh_redis_kind_of(const struct mh_redis_seen *r);

/* How many faults and failures the library said it had recorded that no recording holds. */
uint64_t mh_kernel_missed(const struct mh_model *m);

/* How many of these failures no hook has seen; routine ones count as seen. */
uint64_t mh_kernel_unseen(const struct mh_model *m, const struct mh_kernel_call *call);

/* Was any fault in force at this time? */
bool mh_model_fault_active(const struct mh_model *m, int64_t at);
