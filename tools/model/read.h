/* SPDX-License-Identifier: Apache-2.0 */
/* One recording while it is read: ids of the file turned into numbers of the model. Only for the
 * files of this room that take in records. */
#pragma once

#include "model/load.h"

struct mh_intake {
    struct mh_model *m;
    uint32_t process;
    int64_t offset; /* wall - monotonic of this host */
    const struct mh_record *record;
    struct mh_map peers, paths, stacks, conns, units, ops;
    /* fault index of the file -> index in model->faults */
    struct mh_map faults;
    /* ids of pieces of work, tasks and threads -> index in model->pieces plus 1 */
    struct mh_map pieces, piece_of_task, piece_of_thread;
    size_t first_piece;
    struct mh_map accepted; /* connections taken in, of which nothing was read yet: when, in us */
};

static inline struct mh_process *mh_intake_process(struct mh_intake *in)
{
    return &in->m->processes.v[in->process];
}

/* A time or a span within 0 and 2^60 ns, so that sums of a few of them cannot overflow. */
static inline int64_t mh_intake_time(int64_t ns)
{
    return ns < 0 ? 0 : ns > INT64_C(1) << 60 ? INT64_C(1) << 60 : ns;
}

/* Wall clock minus monotonic clock, as the recording has them at its begin. */
int64_t mh_intake_offset(const struct mh_file_header *h);

/* The number behind an id of the file; 0 when there is none. */
uint32_t mh_intake_number(const struct mh_map *map, int64_t id);

/* A new act with its place filled in, or NULL. */
struct mh_act *mh_intake_act(struct mh_intake *in, enum mh_act_kind kind, int64_t stack,
                             int64_t task, int64_t unit);

/* The connection behind an id, made when new; NULL without memory or when id is 0. */
struct mh_conn *mh_intake_conn(struct mh_intake *in, int64_t id);

/* Waited for again, or heard of, at `at`: was the wait on it that had just run out only a pace? */
void mh_intake_went_on(struct mh_intake *in, struct mh_conn *c, int64_t at);

/* The i-th line of the record's tail; returns its length, 0 when there is none. */
size_t mh_intake_line(const struct mh_intake *in, unsigned i, const char **ret);

/* Inbound requests. Each returns 0 or -ENOMEM. */
int mh_intake_unit_begin(struct mh_intake *in);
int mh_intake_unit_end(struct mh_intake *in);

/* Records about the scenario. Each returns 0 or -ENOMEM. */
int mh_intake_fault(struct mh_intake *in);
int mh_intake_phase(struct mh_intake *in);
int mh_intake_origin(struct mh_intake *in);

/* What `mishap run` wrote itself tells nothing of how long a process lived. */
static inline bool mh_intake_is_ours(uint16_t type)
{
    return (type >= MH_EVENT_child && type <= MH_EVENT_kernel_failed) || type == MH_EVENT_stop ||
           type == MH_EVENT_listener;
}

/* How the run was stopped and ended. Returns 0 or -ENOMEM. */
int mh_intake_ending(struct mh_intake *in);

/* Records from the kernel, and failures that hooks saw, to hold against them. Each returns 0 or
 * -ENOMEM. */
int mh_intake_kernel(struct mh_intake *in);
int mh_intake_hook_failure(struct mh_intake *in);

/* A requested sleep, or an event loop's wait that a timer ended. Returns 0 or -ENOMEM. */
int mh_intake_sleep(struct mh_intake *in);

/* A long wait for a semaphore. Returns 0 or -ENOMEM. */
int mh_intake_locked(struct mh_intake *in);

/* The time of day was set, or is right again. Returns 0 or -ENOMEM. */
int mh_intake_clock(struct mh_intake *in);

/* Records about who began what. Each returns 0 or -ENOMEM. */
int mh_intake_begun(struct mh_intake *in);
int mh_intake_serves(struct mh_intake *in);

/* What the thread of this record is at work on, in this task if it is in one; 0 not known. */
uint32_t mh_intake_piece(const struct mh_intake *in, uint64_t task);

/* The file was read: ids become indices. */
void mh_intake_pieces_end(struct mh_intake *in);

/* Records about runs of tasks. Each returns 0 or -ENOMEM. */
int mh_intake_task_begin(struct mh_intake *in);
int mh_intake_task_end(struct mh_intake *in);

/* A call with this stack belongs to the unit of this index, which is a task's: what that says of
 * it. Returns the index it really belongs to, or -ENOMEM. */
int64_t mh_intake_task_call(struct mh_intake *in, uint32_t unit, uint32_t stack);

/* The door: a connection is taken in, on this descriptor; how long it stood until something was
 * read of it, which is asked once; an accept(), a socket or an allocation that a limit refused.
 * Each returns 0 or -ENOMEM. */
int mh_intake_taken_in(struct mh_intake *in, int64_t conn, int fd);
int mh_intake_stood(struct mh_intake *in, int64_t conn, int64_t *ret);
int mh_intake_refused(struct mh_intake *in, const struct mh_ev_op *e);

/* Records about client connections. Each returns 0 or -ENOMEM. */
int mh_intake_connect(struct mh_intake *in);
int mh_intake_connected(struct mh_intake *in);
int mh_intake_close(struct mh_intake *in);
int mh_intake_request(struct mh_intake *in);

/* The first request on a connection comes from another task than the connect. It was left: who
 * connected wanted it for himself, and it went into a pool (he was cancelled, say). Else take it
 * over: nothing of the application is on the stack of the connect (one address after the other, in
 * a task of a library), or who asks had begun that task. */
bool mh_intake_was_left(const struct mh_intake *in, const struct mh_act *a,
                        const struct mh_ev_request *e);
void mh_intake_take_over(struct mh_intake *in, struct mh_act *a, const struct mh_ev_request *e);

int mh_intake_response(struct mh_intake *in);
int mh_intake_wait(struct mh_intake *in);
int mh_intake_waited(struct mh_intake *in);
int mh_intake_op(struct mh_intake *in);
int mh_intake_rest(struct mh_intake *in);
int mh_intake_outcome(struct mh_intake *in);
