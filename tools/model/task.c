/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of tasks as units of work, and what frames tell of them and of processes (parts.def). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "model/read.h"
#include "model/site.h"

#include "base/banned.h"

const char *const mh_unit_kind_names[] = {"request", "command", "task", "websocket"};
const char *const mh_task_state_names[] = {"unknown", "succeeded", "failed",
                                           "retried", "rejected",  "killed"};

static const struct {
    const char *file, *function, *role;
} parts[] = {
#define PART(file, function, role) {file, function, role},
#define STATE(file, function, state)
#include "model/parts.def"
#undef PART
#undef STATE
};

static const struct {
    const char *file, *function;
    int state;
} states[] = {
#define PART(file, function, role)
#define STATE(file, function, state) {file, function, MH_TASK_##state},
#include "model/parts.def"
#undef PART
#undef STATE
};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n >= k && !strcmp(text + n - k, end) && (n == k || text[n - k - 1] == '/');
}

static const char *bare(const char *function)
{
    const char *dot = strrchr(function, '.');

    return dot ? dot + 1 : function;
}

void mh_model_stack_parts(struct mh_model *m, struct mh_stack *s)
{
    for (uint32_t i = 0; i < s->nframes; i++) {
        const char *file = mh_model_text(m, m->frames.v[s->frames + i].file);
        const char *name = bare(mh_model_text(m, m->frames.v[s->frames + i].function));

        for (uint8_t k = 0; k < ARRAY_SIZE(parts); k++)
            if ((!s->part || k < s->part - 1) && !strcmp(parts[k].function, name) &&
                ends_with(file, parts[k].file))
                s->part = k + 1;
        for (uint8_t k = 0; k < ARRAY_SIZE(states) && !s->state; k++)
            if (!strcmp(states[k].function, name) && ends_with(file, states[k].file))
                s->state = (uint8_t)states[k].state;
    }
}

const char *mh_process_role(const struct mh_process *p)
{
    if (p->part)
        return parts[p->part - 1].role;
    if (p->listening)
        return "server";
    return p->command_run ? "command" : NULL;
}

/* Where a worker's own frames begin, seen from within: what is outside of them started the worker.
 */
static bool is_worker(const char *file, const char *framework)
{
    char end[80];

    snprintf(end, sizeof(end), "/%.40s/worker", framework);
    return strstr(file, end) != NULL;
}

/* The name of a task that has none of its own: its outermost function, "module.function". */
static int64_t name_of(struct mh_model *m, const struct mh_task *t, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;
    const struct mh_frame *found = NULL;
    const char *file;
    char name[300];
    int n;

    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (is_worker(mh_model_text(m, f->file), mh_model_text(m, t->framework)))
            break;
        if (f->kind == MH_FRAME_app)
            found = f;
    }
    if (!found)
        return 0;
    file = strrchr(mh_model_text(m, found->file), '/');
    file = file ? file + 1 : mh_model_text(m, found->file);
    n = snprintf(name, sizeof(name), "%.*s.%.200s", (int)MH_MIN(strcspn(file, "."), 80), file,
                 mh_model_text(m, found->function));
    return mh_texts_add(&m->texts, name, (size_t)MH_MIN(n, (int)sizeof(name) - 1));
}

/* The unit's route follows from the task's name. */
static int set_name(struct mh_model *m, struct mh_unit *u, struct mh_task *t, int64_t name)
{
    char text[300];
    int64_t route, path;
    int n;

    if (name < 0)
        return -ENOMEM;
    t->name = (uint32_t)name;
    n = snprintf(text, sizeof(text), "task %.250s",
                 mh_model_text(m, name ? (uint32_t)name : t->framework));
    n = MH_MIN(n, (int)sizeof(text) - 1);
    path = mh_texts_add(&m->texts, text, (size_t)n);
    route = mh_model_add_route(m, text, (size_t)n);
    if (path < 0 || route < 0)
        return -ENOMEM;
    u->path = (uint32_t)path;
    u->route = (uint32_t)route;
    return 0;
}

static int add(struct mh_intake *in, int64_t id, const struct mh_task *like, uint32_t stack)
{
    struct mh_model *m = in->m;
    struct mh_task *t = mh_vec_add(&m->tasks);
    struct mh_unit *u = mh_vec_add(&m->units);
    int64_t name = like->name;

    if (!t || !u || mh_map_set(&in->units, (uint64_t)id, (uint32_t)m->units.n - 1))
        return -ENOMEM;
    *t = *like;
    *u = (struct mh_unit){.kind = MH_UNIT_task,
                          .task_run = (uint32_t)m->tasks.n,
                          .process = in->process,
                          .id = (uint64_t)id,
                          .tid = in->record->tid,
                          .begun = in->record->at + in->offset,
                          .retry_after = -1,
                          .open = true,
                          .command = true};
    u->ended = u->begun;
    mh_intake_process(in)->nunits++;
    if (!name)
        name = name_of(m, t, stack);
    return set_name(m, u, t, name);
}

int mh_intake_task_begin(struct mh_intake *in)
{
    struct mh_ev_task_begin e = mh_record_as(in->record, task_begin);
    struct mh_task t = {.exact = e.exact != 0};
    uint32_t *const texts[] = {&t.framework, &t.name, &t.id};

    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *line = "";
        size_t n = mh_intake_line(in, i, &line);
        int64_t text = mh_texts_add(&in->m->texts, line, n);

        if (text < 0)
            return -ENOMEM;
        *texts[i] = (uint32_t)text;
    }
    return add(in, e.unit, &t, mh_intake_number(&in->stacks, e.stack));
}

int mh_intake_task_end(struct mh_intake *in)
{
    struct mh_ev_task_end e = mh_record_as(in->record, task_end);
    uint32_t i = e.unit > 0 ? mh_map_get(&in->units, (uint64_t)e.unit) : MH_MAP_NONE;
    struct mh_unit *u = i == MH_MAP_NONE ? NULL : &in->m->units.v[i];
    int64_t exception = mh_texts_add(&in->m->texts, in->record->tail, in->record->tail_len);
    struct mh_task *t;

    if (exception < 0)
        return -ENOMEM;
    if (!u || !u->task_run || !u->open)
        return 0;
    t = &in->m->tasks.v[u->task_run - 1];
    t->exception = (uint32_t)exception;
    if (e.state > MH_TASK_unknown && e.state <= MH_TASK_rejected)
        t->state = (int)e.state;
    u->open = false;
    u->ended = MH_MAX(in->record->at + in->offset, u->begun);
    u->latency = u->ended - u->begun;
    return 0;
}

int64_t mh_intake_task_call(struct mh_intake *in, uint32_t unit, uint32_t stack)
{
    struct mh_model *m = in->m;
    struct mh_unit *u = &m->units.v[unit];
    struct mh_task *t = &m->tasks.v[u->task_run - 1];
    int state = stack ? m->stacks.v[stack - 1].state : MH_TASK_unknown;

    if (!u->open)
        return unit;
    /* a run that had come to its end is over when something else is done: without an id the next
     * one looks like it */
    if (!t->id && t->state && stack && !state) {
        struct mh_task like = {.framework = t->framework};

        if (add(in, (int64_t)u->id, &like, stack))
            return -ENOMEM;
        return (int64_t)m->units.n - 1;
    }
    if (state)
        t->state = state;
    u->ended = MH_MAX(u->ended, in->record->at + in->offset);
    u->latency = u->ended - u->begun;
    if (!t->name && stack) {
        int64_t name = name_of(m, t, stack);

        if (name && set_name(m, u, t, name))
            return -ENOMEM;
    }
    return unit;
}

bool mh_process_gone(const struct mh_model *m, const struct mh_process *p)
{
    if (p->detached)
        return false;
    if (p->exited || p->complete)
        return true;
    if (m->child_status != INT32_MIN)
        return true;
    for (size_t i = 0; i < m->kernel.ends.n; i++)
        if (m->kernel.ends.v[i].pid == p->pid)
            return true;
    for (size_t i = 0; i < m->processes.n; i++) {
        const struct mh_process *q = &m->processes.v[i];

        if (q->host == p->host && q->ppid == p->ppid && q->forked && q->started > p->last)
            return true;
    }
    return false;
}

/* mishap's own kill ends a run for certain. */
static bool killed_by_fault(const struct mh_model *m, const struct mh_unit *u)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_op && m->ops.v[a->op].effect - 1 == MH_EFFECT_kill)
            return true;
    }
    return false;
}

/* In the terms of a request: 200 fine, 500 failed, cut without an answer, or not to be told. */
static void settle_status(struct mh_unit *u, const struct mh_task *t)
{
    u->status = t->state == MH_TASK_failed                                  ? 500
                : t->state == MH_TASK_unknown || t->state == MH_TASK_killed ? 0
                                                                            : 200;
    u->how = t->state == MH_TASK_killed ? 2 : u->status ? 0 : 1;
}

void mh_tasks_settle(struct mh_model *m)
{
    for (size_t i = 0; i < m->units.n; i++) {
        struct mh_unit *u = &m->units.v[i];
        struct mh_task *t = u->task_run ? &m->tasks.v[u->task_run - 1] : NULL;

        if (!t)
            continue;
        if (killed_by_fault(m, u) ||
            (u->open && t->exact && mh_process_gone(m, &m->processes.v[u->process])))
            t->state = MH_TASK_killed;
        u->open = u->open && t->exact && t->state == MH_TASK_unknown;
        settle_status(u, t);
    }
}
