/* SPDX-License-Identifier: Apache-2.0 */
/* Units of work as spans, their attempts as spans below them, what faults did as events on these;
 * see otlp.h. Ids are made of the recording: exported again, a span is the same span. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/errname.h"
#include "base/hash.h"
#include "base/macros.h"
#include "otlp.h"

#include "base/banned.h"

enum { SPANS = 64, EVENTS = 128 }; /* of one request; of one span, as SDKs limit it */
enum { KIND_INTERNAL = 1, KIND_SERVER, KIND_CLIENT, KIND_PRODUCER, KIND_CONSUMER };
enum { STATUS_ERROR = 2 };

struct export
{
    struct mh_otlp *o;
    const struct mh_model *m;
    const struct mh_process *p;
    uint64_t key;   /* of the process */
    uint32_t *ops;  /* by act: the first operation of this attempt, plus 1 */
    uint32_t *next; /* by operation: the next one of the same attempt, plus 1 */
    json_t *spans;  /* of the request in the making */
};

struct span {
    uint64_t trace, id, parent; /* parent 0: none */
    const char *name, *error;   /* error: its type, NULL it went well */
    int kind;
    int64_t begin, end;
    json_t *attributes, *events;
    int dropped; /* events beyond the limit */
};

static json_t *hex(uint64_t a, uint64_t b, bool both)
{
    char text[40];

    if (both)
        snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, a, b);
    else
        snprintf(text, sizeof(text), "%016" PRIx64, a);
    return json_string(text);
}

static json_t *resource(const struct export *x)
{
    const char *command = mh_model_text(x->m, x->p->command);
    json_t *attributes = json_array();

    mh_otlp_text(x->o, attributes, "service.name", *command ? command : "unknown_service");
    mh_otlp_text(x->o, attributes, "host.name", mh_model_text(x->m, x->p->host));
    mh_otlp_int(x->o, attributes, "process.pid", x->p->pid);
    return attributes;
}

static void flush(struct export *x)
{
    if (x->spans)
        mh_otlp_put(x->o, MH_OTLP_spans, resource(x), x->spans);
    x->spans = NULL;
}

static struct span span_of(uint64_t trace, uint64_t id, int64_t begin, int64_t end)
{
    return (struct span){.trace = trace | 1, /* ids of zeros are none */
                         .id = id | 1,
                         .begin = MH_MAX(begin, 0),
                         .end = MH_MAX(MH_MAX(begin, end), 0),
                         .kind = KIND_INTERNAL,
                         .attributes = json_array(),
                         .events = json_array()};
}

static void put(struct export *x, struct span *s)
{
    json_t *one;

    mh_otlp_text(x->o, s->attributes, "error.type", s->error);
    one = json_pack("{s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "traceId",
                    hex(mh_mix(s->trace), s->trace, true), "spanId", hex(s->id, 0, false), "name",
                    mh_otlp_string(s->name), "kind", s->kind, "startTimeUnixNano",
                    mh_otlp_number(s->begin), "endTimeUnixNano", mh_otlp_number(s->end),
                    "attributes", s->attributes, "events", s->events);
    if (s->parent)
        mh_otlp_set(x->o, one, "parentSpanId", hex(s->parent, 0, false));
    if (s->error)
        mh_otlp_set(x->o, one, "status", json_pack("{s:i}", "code", STATUS_ERROR));
    if (s->dropped)
        mh_otlp_set(x->o, one, "droppedEventsCount", json_integer(s->dropped));
    if (!x->spans)
        x->spans = json_array();
    mh_otlp_add(x->o, x->spans, one);
    if (json_array_size(x->spans) >= SPANS)
        flush(x);
}

static json_t *add_event(struct export *x, struct span *s, const char *name, int64_t at)
{
    json_t *attributes;

    if (json_array_size(s->events) >= EVENTS) {
        s->dropped++;
        return NULL;
    }
    attributes = json_array();
    mh_otlp_add(x->o, s->events,
                json_pack("{s:s, s:o, s:O}", "name", name, "timeUnixNano",
                          mh_otlp_number(MH_MAX(at, 0)), "attributes", attributes));
    json_decref(attributes); /* the event has its own reference */
    return attributes;
}

/* What became of it: an exception is told once of each type, with where it was seen first. */
static void add_exceptions(struct export *x, struct span *s, const struct mh_op_seen *op,
                           int64_t at)
{
    const struct mh_model *m = x->m;
    uint32_t told = 0;

    for (uint32_t i = 0; i < op->nsteps; i++) {
        const struct mh_step_seen *step = &m->steps.v[op->steps + i];
        json_t *attributes;

        if (!step->type || step->type == told)
            continue;
        told = step->type;
        attributes = add_event(x, s, "exception", at);
        if (!attributes)
            continue;
        mh_otlp_text(x->o, attributes, "exception.type", mh_model_text(m, step->type));
        mh_otlp_text(x->o, attributes, "code.function.name",
                     mh_model_text(m, step->frame.function));
        mh_otlp_text(x->o, attributes, "code.file.path", mh_model_text(m, step->frame.file));
        if (step->frame.line > 0)
            mh_otlp_int(x->o, attributes, "code.line.number", step->frame.line);
    }
}

static const char *error_name(int err)
{
    const char *name = err < 0 ? mh_eai_name(err) : err ? mh_errno_name(err) : NULL;

    return name ? name : "_OTHER";
}

/* Is there such a file? A no is an answer. */
static bool is_question(const struct mh_op_seen *op)
{
    return !op->fault && op->kind == MH_OP_open && (op->err == ENOENT || op->err == ENOTDIR);
}

static const char *fault_name(const struct export *x, const struct mh_op_seen *op)
{
    return op->fault ? mh_model_text(x->m, x->m->faults.v[op->fault - 1].name) : "";
}

static void add_op(struct export *x, struct span *s, const struct mh_op_seen *op)
{
    const struct mh_act *a = &x->m->acts.v[op->act];
    json_t *attributes;

    if (is_question(op))
        return;
    attributes = add_event(x, s, op->fault ? "mishap.fault" : "mishap.failure", a->at);
    if (attributes) {
        mh_otlp_text(x->o, attributes, "mishap.fault", fault_name(x, op));
        mh_otlp_text(x->o, attributes, "mishap.operation", mh_op_rows[op->kind].name);
        if (op->effect > 0 && op->effect <= MH_EFFECT_COUNT)
            mh_otlp_text(x->o, attributes, "mishap.effect", mh_effect_rows[op->effect - 1].name);
        if (op->err)
            mh_otlp_text(x->o, attributes, "error.type", error_name(op->err));
    }
    add_exceptions(x, s, op, a->at);
}

/* The first word of "GET /items": names of spans are few. */
static void first_word(const char *text, char *ret, size_t size)
{
    snprintf(ret, size, "%.*s", (int)MH_MIN(strcspn(text, " "), size - 1), text);
}

static void put_attempt(struct export *x, uint32_t act, uint64_t trace, uint64_t parent)
{
    const struct mh_act *a = &x->m->acts.v[act];
    const struct mh_peer_seen *peer = a->peer ? &x->m->peers.v[a->peer - 1] : NULL;
    uint64_t id = mh_mix2(x->key, UINT64_C(1) << 40 | (act - x->p->first_act));
    struct span s = span_of(trace ? trace : id, id, a->at, a->until);
    const char *text = mh_model_text(x->m, a->attempt.text), *fault = "";
    bool http = a->answered && a->attempt.status >= 100;
    char name[64], code[16];

    first_word(*text ? text : "connect", name, sizeof(name));
    s.name = name;
    s.kind = KIND_CLIENT;
    s.parent = parent;
    if (peer)
        mh_otlp_peer(x->o, s.attributes, mh_model_text(x->m, peer->name));
    if (http) {
        mh_otlp_text(x->o, s.attributes, "http.request.method", name);
        mh_otlp_int(x->o, s.attributes, "http.response.status_code", a->attempt.status);
        snprintf(code, sizeof(code), "%d", a->attempt.status);
    }
    if (a->site)
        mh_otlp_text(x->o, s.attributes, "code.function.name",
                     mh_model_text(x->m, x->m->sites.v[a->site - 1].frames[0].function));
    s.error = a->failed                          ? error_name(a->attempt.err)
              : http && a->attempt.status >= 400 ? code
                                                 : NULL;
    for (uint32_t i = x->ops[act]; i; i = x->next[i - 1]) {
        const struct mh_op_seen *op = &x->m->ops.v[i - 1];

        if (op->fault && !*fault)
            fault = fault_name(x, op);
        add_op(x, &s, op);
    }
    mh_otlp_text(x->o, s.attributes, "mishap.fault", fault);
    put(x, &s);
}

/* What is special of a request, a task, a command or a WebSocket. */
static void describe(struct export *x, struct span *s, const struct mh_unit *u, char *word,
                     size_t size)
{
    static const struct mh_task none;
    const struct mh_task *t = u->task_run ? &x->m->tasks.v[u->task_run - 1] : &none;
    bool failed = mh_unit_failed(u);

    s->name = mh_model_text(x->m, t->name ? t->name : x->m->routes.v[u->route - 1].name);
    if (u->kind == MH_UNIT_request) {
        const char *path = strchr(s->name, ' ');

        s->kind = KIND_SERVER;
        if (u->sealed) {
            s->name = mh_model_text(x->m, u->path);
        } else {
            first_word(s->name, word, size);
            mh_otlp_text(x->o, s->attributes, "http.request.method", word);
            mh_otlp_text(x->o, s->attributes, "http.route", path ? path + 1 : "");
        }
        if (u->status)
            mh_otlp_int(x->o, s->attributes, "http.response.status_code", u->status);
        snprintf(word, size, "%d", u->status);
        s->error = !failed ? NULL : u->status ? word : "_OTHER";
        return;
    }
    s->kind = u->kind == MH_UNIT_task        ? KIND_CONSUMER
              : u->kind == MH_UNIT_websocket ? KIND_SERVER
                                             : KIND_INTERNAL;
    mh_otlp_text(x->o, s->attributes, "mishap.task.id", mh_model_text(x->m, t->id));
    mh_otlp_text(x->o, s->attributes, "mishap.task.framework", mh_model_text(x->m, t->framework));
    if (u->task_run)
        mh_otlp_text(x->o, s->attributes, "mishap.task.state", mh_task_state_names[t->state]);
    s->error = !failed ? NULL : t->exception ? mh_model_text(x->m, t->exception) : "_OTHER";
}

static void put_unit(struct export *x, size_t index)
{
    const struct mh_model *m = x->m;
    const struct mh_unit *u = &m->units.v[index];
    uint64_t id = mh_mix2(x->key, index - x->p->first_unit);
    struct span s = span_of(id, id, u->begun, u->ended);
    const char *fault = "";
    char word[32];

    describe(x, &s, u, word, sizeof(word));
    mh_otlp_text(x->o, s.attributes, "mishap.unit.kind", mh_unit_kind_names[u->kind]);
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + i]];
        const struct mh_op_seen *op = a->kind == MH_ACT_op ? &m->ops.v[a->op] : NULL;

        if (op && op->fault && !*fault)
            fault = fault_name(x, op);
        if (op && !op->attempt)
            add_op(x, &s, op);
    }
    mh_otlp_text(x->o, s.attributes, "mishap.fault", fault);
    put(x, &s);
    for (uint32_t i = 0; i < u->nacts; i++) {
        uint32_t act = m->by_unit.v[u->first_act + i];

        if (m->acts.v[act].kind == MH_ACT_attempt)
            put_attempt(x, act, s.trace, s.id);
    }
}

/* Outside of any unit, and of any attempt: a fault on a file, say, in background work. */
static void put_alone(struct export *x, uint32_t act)
{
    const struct mh_act *a = &x->m->acts.v[act];
    const struct mh_op_seen *op = &x->m->ops.v[a->op];
    uint64_t id = mh_mix2(x->key, UINT64_C(1) << 40 | (act - x->p->first_act));
    struct span s = span_of(id, id, a->at, a->until);

    s.name = mh_op_rows[op->kind].name;
    s.error = op->err ? error_name(op->err) : NULL;
    mh_otlp_text(x->o, s.attributes, "mishap.fault", fault_name(x, op));
    add_op(x, &s, op);
    put(x, &s);
}

static void put_process(struct export *x, const struct mh_process *p)
{
    const struct mh_model *m = x->m;

    x->p = p;
    x->key = mh_mix2(mh_hash_text(MH_HASH_START, mh_model_text(m, p->host)),
                     mh_mix2((uint64_t)p->pid, (uint64_t)p->started));
    for (size_t i = 0; i < p->nunits && !x->o->error; i++)
        put_unit(x, p->first_unit + i);
    for (uint32_t i = (uint32_t)p->first_act; i < p->first_act + p->nacts && !x->o->error; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->unit)
            continue;
        if (a->kind == MH_ACT_attempt)
            put_attempt(x, i, 0, 0);
        else if (a->kind == MH_ACT_op && m->ops.v[a->op].fault && !m->ops.v[a->op].attempt)
            put_alone(x, i);
    }
    flush(x);
}

void mh_otlp_spans(struct mh_otlp *o, const struct mh_model *m)
{
    struct export x = {.o = o, .m = m};

    x.ops = calloc(m->acts.n + 1, sizeof(*x.ops));
    x.next = calloc(m->ops.n + 1, sizeof(*x.next));
    if (!x.ops || !x.next)
        o->error = -ENOMEM;
    for (size_t i = m->ops.n; i-- > 0 && !o->error;) { /* backwards: the first is met first */
        uint32_t attempt = m->ops.v[i].attempt;

        if (attempt) {
            x.next[i] = x.ops[attempt - 1];
            x.ops[attempt - 1] = (uint32_t)i + 1;
        }
    }
    for (size_t i = 0; i < m->processes.n && !o->error; i++)
        if (!m->processes.v[i].baseline)
            put_process(&x, &m->processes.v[i]);
    free(x.ops);
    free(x.next);
}
