/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel saw, held against what the hooks saw: failures in the one list only went past
 * libc, or happened where no hook looks. */
#include "model/read.h"

#include <errno.h>

#include "base/macros.h"

#include "base/banned.h"

enum { MOST_CALLS = 1 << 13, MOST_ENDS = 1 << 14, MOST_SIGNALS = 1 << 14 };

/* Reading and writing are each one thing here: a system call does not tell a socket from a file. */
static enum mh_op_kind direction(enum mh_op_kind kind)
{
    return kind == MH_OP_read                               ? MH_OP_recv
           : kind == MH_OP_write || kind == MH_OP_ftruncate ? MH_OP_send
                                                            : kind;
}

static uint64_t key_of(int pid, enum mh_op_kind kind, int err)
{
    return (uint64_t)(uint32_t)pid << 32 | (uint64_t)direction(kind) << 16 | (uint16_t)err;
}

static int line_text(struct mh_intake *in, unsigned i, uint32_t *ret)
{
    const char *text = "";
    size_t n = mh_intake_line(in, i, &text);
    int64_t number = mh_texts_add(&in->m->texts, text, n);

    if (number < 0)
        return -ENOMEM;
    *ret = (uint32_t)number;
    return 0;
}

static int on_call(struct mh_intake *in)
{
    struct mh_ev_kernel_failed e = mh_record_as(in->record, kernel_failed);
    struct mh_kernel_call *c;

    if (in->m->kernel.calls.n >= MOST_CALLS || e.kind < 0 || e.kind >= MH_OP_COUNT ||
        (e.kind == MH_OP_none && e.err))
        return 0;
    c = mh_vec_add(&in->m->kernel.calls);
    if (!c)
        return -ENOMEM;
    c->pid = (int)e.pid;
    c->kind = (enum mh_op_kind)e.kind;
    c->err = (int)e.err;
    c->count = (uint64_t)MH_MAX(e.count, 0);
    c->last = mh_intake_time(e.last_at) + in->offset;
    return line_text(in, 0, &c->name) || line_text(in, 1, &c->program) ? -ENOMEM : 0;
}

static int on_exit_of(struct mh_intake *in)
{
    struct mh_ev_kernel_exit e = mh_record_as(in->record, kernel_exit);
    struct mh_kernel_end *end = NULL;

    if (in->m->kernel.ends.n >= MOST_ENDS)
        return 0;
    /* an OOM kill was told before */
    for (size_t i = in->m->kernel.ends.n; i-- > 0 && !end;)
        if (in->m->kernel.ends.v[i].pid == (int)e.pid && in->m->kernel.ends.v[i].oom &&
            !in->m->kernel.ends.v[i].signal)
            end = &in->m->kernel.ends.v[i];
    if (!end)
        end = mh_vec_add(&in->m->kernel.ends);
    if (!end)
        return -ENOMEM;
    end->pid = (int)e.pid;
    end->status = (int)e.status;
    end->signal = (int)e.signal;
    end->sender = (int)e.sender;
    return line_text(in, 0, &end->program) || line_text(in, 1, &end->sender_program) ? -ENOMEM : 0;
}

static int on_oom(struct mh_intake *in)
{
    struct mh_ev_kernel_oom e = mh_record_as(in->record, kernel_oom);
    struct mh_kernel_end *end;

    if (in->m->kernel.ends.n >= MOST_ENDS)
        return 0;
    end = mh_vec_add(&in->m->kernel.ends);
    if (!end)
        return -ENOMEM;
    end->pid = (int)e.pid;
    end->oom = true;
    return line_text(in, 0, &end->program);
}

static int on_signal(struct mh_intake *in)
{
    struct mh_ev_kernel_signal e = mh_record_as(in->record, kernel_signal);
    struct mh_kernel_signal *s;

    if (in->m->kernel.signals.n >= MOST_SIGNALS)
        return 0;
    s = mh_vec_add(&in->m->kernel.signals);
    if (!s)
        return -ENOMEM;
    *s = (struct mh_kernel_signal){.pid = (int)e.pid,
                                   .signal = (int)e.signal,
                                   .sender = (int)e.sender,
                                   .at = mh_intake_time(e.sent_at) + in->offset};
    return 0;
}

int mh_intake_kernel(struct mh_intake *in)
{
    struct mh_kernel_seen *k = &in->m->kernel;

    if (mh_intake_process(in)->baseline)
        return 0;
    switch (in->record->type) {
    case MH_EVENT_kernel: {
        struct mh_ev_kernel e = mh_record_as(in->record, kernel);

        k->told = true;
        k->loaded = (int)e.loaded;
        k->programs = (int)e.programs;
        k->lost += (uint64_t)MH_MAX(e.lost, 0);
        k->probed |= e.probed != 0;
        k->faults_said += (uint64_t)MH_MAX(e.faults, 0);
        k->failures_said += (uint64_t)MH_MAX(e.failures, 0);
        return line_text(in, 0, &k->missing);
    }
    case MH_EVENT_kernel_exit:
        return on_exit_of(in);
    case MH_EVENT_kernel_oom:
        return on_oom(in);
    case MH_EVENT_kernel_signal:
        return on_signal(in);
    case MH_EVENT_kernel_tcp: {
        struct mh_ev_kernel_tcp e = mh_record_as(in->record, kernel_tcp);

        k->resets_received += (uint64_t)MH_MAX(e.received, 0);
        k->resets_sent += (uint64_t)MH_MAX(e.sent, 0);
        k->retransmits += (uint64_t)MH_MAX(e.retransmits, 0);
        return 0;
    }
    default:
        return on_call(in);
    }
}

int mh_intake_hook_failure(struct mh_intake *in)
{
    enum mh_op_kind kind = MH_OP_connect;
    int64_t err;
    uint32_t have;
    uint64_t key;

    if (in->record->type == MH_EVENT_op) {
        struct mh_ev_op e = mh_record_as(in->record, op);

        if (!mh_intake_process(in)->baseline)
            ++*(e.fault ? &in->m->kernel.faults : &in->m->kernel.failures);
        if (e.kind < 0 || e.kind >= MH_OP_COUNT || e.kind == MH_OP_connect)
            return 0; /* a connect has a record of its own */
        kind = (enum mh_op_kind)e.kind;
        err = e.err;
    } else if (in->record->type == MH_EVENT_connect) {
        err = mh_record_as(in->record, connect).err;
    } else {
        return 0;
    }
    if (err <= 0)
        return 0;
    key = key_of(mh_intake_process(in)->pid, kind, (int)err);
    have = mh_map_get(&in->m->kernel.hooked, key);
    return mh_map_set(&in->m->kernel.hooked, key, have == MH_MAP_NONE ? 1 : have + 1);
}

/* More in the recordings than the kernel heard of is no loss: runs that it did not watch may be
 * among them, and those that it did are then not told apart. */
uint64_t mh_kernel_missed(const struct mh_model *m)
{
    const struct mh_kernel_seen *k = &m->kernel;
    uint64_t said = k->faults_said + k->failures_said, kept = k->faults + k->failures;

    return k->probed && said > kept ? said - kept : 0;
}

/* Asking again, under way, interrupted; and looking for a file in many places. */
static bool is_routine(int err)
{
    return err == EAGAIN || err == EINPROGRESS || err == EINTR || err == EALREADY || err == ENOENT;
}

uint64_t mh_kernel_unseen(const struct mh_model *m, const struct mh_kernel_call *call)
{
    const struct mh_kernel_seen *k = &m->kernel;
    const struct mh_process *p = NULL;
    uint64_t all = 0;
    uint32_t seen;

    if (is_routine(call->err) || !call->err)
        return 0;
    for (size_t i = 0; i < m->processes.n && !p; i++)
        if (m->processes.v[i].pid == call->pid && m->processes.v[i].recorded &&
            !m->processes.v[i].baseline)
            p = &m->processes.v[i];
    /* Whole processes that nobody saw are told by name; and the loader's start is not the
     * program's. */
    if (!p || call->last < p->started)
        return 0;
    /* Several system calls stand behind one operation; the first of them is given the difference.
     */
    for (size_t i = 0; i < k->calls.n; i++) {
        const struct mh_kernel_call *c = &k->calls.v[i];

        if (c->pid != call->pid || c->err != call->err ||
            direction(c->kind) != direction(call->kind) || c->last < p->started)
            continue;
        if (c < call)
            return 0;
        all += c->count;
    }
    seen = mh_map_get(&k->hooked, key_of(call->pid, call->kind, call->err));
    if (seen == MH_MAP_NONE)
        seen = 0;
    return all > seen ? all - seen : 0;
}
